/* common/http/http: what a handler reads of a request, and the headers it adds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/http_conn.h"

static const char *const allowed[] = { "limit", "state", NULL };

static void
headers_are_found_in_any_case_and_trimmed(void **state)
{
	struct http_conn c = {
		.headers = { { STR("X-App-Api-Key"), STR(" \tkey ") }, { STR("Empty"), STR("") } },
		.nheaders = 2,
	};
	struct http_req req = { .priv = &c };

	(void)state;
	assert_true(str_eq(http_header(&req, "x-app-api-KEY"), STR("key")));
	assert_non_null(http_header(&req, "empty").p);
	assert_null(http_header(&req, "x-app-api").p);
	req.priv = NULL;
	assert_null(http_header(&req, "empty").p);
}

static void
words_for_nothing_count_as_absent(void **state)
{
	struct http_req req = {
		.query = { { STR("a"), STR("undefined") }, { STR("b"), STR("null") },
		    { STR("c"), STR("") }, { STR("d"), STR("nullable") }, { STR("a"), STR("1") } },
		.nquery = 5,
	};

	(void)state;
	assert_true(str_eq(http_query(&req, "a"), STR("1")));
	assert_null(http_query(&req, "b").p);
	assert_null(http_query(&req, "c").p);
	assert_true(str_eq(http_query(&req, "d"), STR("nullable")));
	assert_null(http_query(&req, "D").p);
}

static void
an_unknown_parameter_is_refused_and_the_known_ones_are_named(void **state)
{
	struct http_req req = { .query = { { STR("limit"), STR("1") } }, .nquery = 1 };
	const char *const none[] = { NULL };
	struct err e;

	(void)state;
	assert_int_equal(http_query_allow(&req, allowed, &e), ERR_OK);
	req.query[0].name = STR("Limit");
	assert_int_equal(http_query_allow(&req, allowed, &e), ERR_INVALID);
	assert_string_equal(e.msg, "unknown query parameter \"Limit\"; allowed: limit, state");
	assert_int_equal(http_query_allow(&req, none, &e), ERR_INVALID);
	assert_string_equal(e.msg, "unknown query parameter \"Limit\"; allowed: none");
}

static void
a_parameter_given_twice_is_refused(void **state)
{
	struct http_req req = {
		.query = { { STR("limit"), STR("1") }, { STR("limit"), STR("") } },
		.nquery = 2,
	};
	struct err e;

	(void)state;
	assert_int_equal(http_query_allow(&req, allowed, &e), ERR_INVALID);
	assert_string_equal(e.msg, "query parameter \"limit\" is given twice");
}

static void
numbers_keep_to_their_range(void **state)
{
	struct http_req req = { .query = { { STR("limit"), STR("100") } }, .nquery = 1 };
	static const struct str bad[] = {
		{ "101", 3 },
		{ "0", 1 },
		{ "1.5", 3 },
		{ "1x", 2 },
		{ " 1", 2 },
		{ "1e2", 3 },
	};
	struct err e;
	int64_t n = -1;

	(void)state;
	assert_int_equal(http_query_i64(&req, "limit", 1, 100, 50, &n, &e), ERR_OK);
	assert_int_equal(n, 100);
	assert_int_equal(http_query_i64(&req, "offset", 1, 100, 50, &n, &e), ERR_OK);
	assert_int_equal(n, 50);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		req.query[0].value = bad[i];
		assert_int_equal(http_query_i64(&req, "limit", 1, 100, 50, &n, &e), ERR_INVALID);
		assert_string_equal(
		    e.msg, "query parameter \"limit\" is not a whole number from 1 to 100");
	}
	assert_int_equal(n, 50);
}

static void
a_header_value_cannot_start_a_line(void **state)
{
	struct http_res res = { .headers = BUF(200) };

	(void)state;
	http_header_add(&res, "Location", STR("/x"));
	http_header_add(&res, "Bad", STR("1\r\nSet-Cookie: a=b"));
	http_header_add(&res, "Bad", STR("1\n"));
	http_header_add(&res, "Empty", STR_NONE);
	assert_string_equal(buf_c(&res.headers), "Location: /x\r\nEmpty: \r\n");
	buf_release(&res.headers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_found_in_any_case_and_trimmed),
		cmocka_unit_test(words_for_nothing_count_as_absent),
		cmocka_unit_test(an_unknown_parameter_is_refused_and_the_known_ones_are_named),
		cmocka_unit_test(a_parameter_given_twice_is_refused),
		cmocka_unit_test(numbers_keep_to_their_range),
		cmocka_unit_test(a_header_value_cannot_start_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

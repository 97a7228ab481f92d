/* apid/page: cursors, and what a request says about its page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apid/client/page.h"

#include <sodium.h>

#define PEPPER STR("a pepper of thirty-two bytes, say")

static struct pepper_keys keys;
static const struct uuid app = { { 0xa1, 2, 3 } }, other_app = { { 0xa1, 2, 4 } };
static const struct page_place place = { INT64_C(1770243109824), { { 9, 8, 7, 255 } } };

static struct page_scope
scope(void)
{
	return (struct page_scope){ .keys = &keys, .list = "calls", .app_id = app };
}

/* ---- cursors ---- */

static void
a_cursor_leads_back_to_its_place(void **state)
{
	static const int64_t times[] = { 0, -1, INT64_C(1770243109824), INT64_MAX, INT64_MIN };
	const struct page_scope s = scope();

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		AUTO_RELEASE(buf_release) struct buf text = BUF(100);
		struct page_place in = { times[i], place.id }, out;

		page_cursor_format(&s, in, &text);
		assert_int_equal(text.n, PAGE_CURSOR_CHARS);
		assert_true(page_cursor_parse(&s, buf_str(&text), &out));
		assert_true(out.sort_at == in.sort_at && uuid_eq(out.id, in.id));
	}
}

static void
a_cursor_changed_in_any_character_is_refused(void **state)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(100);
	const struct page_scope s = scope();
	struct page_place out;

	(void)state;
	page_cursor_format(&s, place, &text);
	for (size_t i = 0; i < text.n; i++) {
		char was = text.p[i];

		text.p[i] = was == 'A' ? 'B' : 'A';
		assert_false(page_cursor_parse(&s, buf_str(&text), &out));
		text.p[i] = was;
	}
	assert_true(page_cursor_parse(&s, buf_str(&text), &out));
}

static void
a_cursor_of_another_length_is_refused(void **state)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(100);
	const struct page_scope s = scope();
	struct page_place out;

	(void)state;
	page_cursor_format(&s, place, &text);
	buf_add_char(&text, 'A');
	for (size_t n = 0; n <= text.n; n++) {
		bool taken = page_cursor_parse(&s, (struct str){ text.p, n }, &out);

		assert_int_equal(taken, n == PAGE_CURSOR_CHARS);
	}
}

static void
a_cursor_is_good_for_its_list_order_app_and_key_only(void **state)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(100);
	const struct pepper_keys others = { { { 1 }, { 2 } } };
	struct page_scope list = scope(), order = scope(), tenant = scope(), secret = scope();
	const struct page_scope s = scope();
	struct page_place out;

	(void)state;
	list.list = "messages";
	order.oldest_first = true;
	tenant.app_id = other_app;
	secret.keys = &others;
	page_cursor_format(&s, place, &text);
	assert_true(page_cursor_parse(&s, buf_str(&text), &out));
	assert_false(page_cursor_parse(&list, buf_str(&text), &out));
	assert_false(page_cursor_parse(&order, buf_str(&text), &out));
	assert_false(page_cursor_parse(&tenant, buf_str(&text), &out));
	assert_false(page_cursor_parse(&secret, buf_str(&text), &out));
}

/* An apid that has the new pepper already, and one that has not heard of it yet. */
static void
a_cursor_made_with_the_pepper_before_is_good_and_not_the_other_way_round(void **state)
{
	AUTO_RELEASE(buf_release) struct buf before = BUF(100), after = BUF(100);
	struct pepper_keys changed = { { { 1 } } };
	struct page_scope s = scope(), next = scope();
	struct page_place out;

	(void)state;
	memcpy(changed.each[1], keys.each[0], HMAC_BYTES);
	next.keys = &changed;
	page_cursor_format(&s, place, &before);
	page_cursor_format(&next, place, &after);
	assert_true(page_cursor_parse(&next, buf_str(&before), &out));
	assert_true(page_cursor_parse(&next, buf_str(&after), &out));
	assert_false(page_cursor_parse(&s, buf_str(&after), &out));
}

/* ---- queries ---- */

static struct http_req
request(const char *const *query)
{
	struct http_req req = { .app_id = app };

	for (; query[0] != NULL; query += 2)
		req.query[req.nquery++] =
		    (struct http_query_item){ str_of(query[0]), str_of(query[1]) };
	return req;
}

static enum err_code
read_page(const char *const *query, struct page *out, struct err *e)
{
	const struct page_rules rules = { &keys, "calls", app, 50, true };
	struct http_req req = request(query);

	return page_read(&req, &rules, out, e);
}

static void
without_parameters_it_is_the_first_page_newest_first(void **state)
{
	static const char *const none[] = { NULL };
	struct page p;
	struct err e;

	(void)state;
	assert_int_equal(read_page(none, &p, &e), ERR_OK);
	assert_int_equal(p.limit, 50);
	assert_int_equal(p.offset, 0);
	assert_false(p.oldest_first);
	assert_true(p.wants_total);
	assert_false(p.has_after);
}

static void
parameters_are_read(void **state)
{
	static const char *const query[] = { "limit", "500", "offset", "1000000", "order", "asc",
		"total", "false", NULL };
	struct page p;
	struct err e;

	(void)state;
	assert_int_equal(read_page(query, &p, &e), ERR_OK);
	assert_int_equal(p.limit, 500);
	assert_int_equal(p.offset, 1000000);
	assert_true(p.oldest_first);
	assert_false(p.wants_total);
}

static void
a_bad_parameter_is_refused_by_name(void **state)
{
	static const char *const queries[][3] = {
		{ "limit", "0", NULL },
		{ "limit", "501", NULL },
		{ "limit", "5.0", NULL },
		{ "offset", "-1", NULL },
		{ "offset", "1000001", NULL },
		{ "order", "newest", NULL },
		{ "total", "yes", NULL },
		{ "cursor", "forged", NULL },
	};
	struct page p;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		assert_int_equal(read_page(queries[i], &p, &e), ERR_INVALID);
		assert_non_null(strstr(e.msg, queries[i][0]));
	}
}

static void
cursor_and_offset_exclude_each_other(void **state)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(100);
	const struct page_scope s = scope();
	const char *query[] = { "cursor", "", "offset", "1", NULL };
	struct page p;
	struct err e;

	(void)state;
	page_cursor_format(&s, place, &text);
	query[1] = buf_c(&text);
	assert_int_equal(read_page(query, &p, &e), ERR_INVALID);
	query[3] = "0"; /* what a client sends that fills in defaults */
	assert_int_equal(read_page(query, &p, &e), ERR_OK);
	assert_true(p.has_after && p.after.sort_at == place.sort_at);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cursor_leads_back_to_its_place),
		cmocka_unit_test(a_cursor_changed_in_any_character_is_refused),
		cmocka_unit_test(a_cursor_of_another_length_is_refused),
		cmocka_unit_test(a_cursor_is_good_for_its_list_order_app_and_key_only),
		cmocka_unit_test(
		    a_cursor_made_with_the_pepper_before_is_good_and_not_the_other_way_round),
		cmocka_unit_test(without_parameters_it_is_the_first_page_newest_first),
		cmocka_unit_test(parameters_are_read),
		cmocka_unit_test(a_bad_parameter_is_refused_by_name),
		cmocka_unit_test(cursor_and_offset_exclude_each_other),
	};

	if (sodium_init() < 0)
		return 1;
	pepper_derive(&(struct pepper){ { PEPPER, PEPPER } }, "cursor", &keys);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* common/http/http_route, and common/http/http_uri below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/http_route.h"
#include "common/http/http_uri.h"

#define COUNT(a) (int)(sizeof(a) / sizeof(a)[0])

static const struct http_route routes[] = {
	{ "GET", "/", HTTP_AUTH_NONE, 0, NULL },
	{ "GET", "/api/calls", HTTP_AUTH_NONE, 0, NULL },
	{ "GET", "/api/calls/active", HTTP_AUTH_NONE, 0, NULL },
	{ "GET", "/api/calls/{id}", HTTP_AUTH_NONE, 0, NULL },
	{ "DELETE", "/api/calls/{id}", HTTP_AUTH_NONE, 0, NULL },
	{ "GET", "/api/calls/{id}/parts/{part}", HTTP_AUTH_NONE, 0, NULL },
	{ "OPTIONS", "/api/**", HTTP_AUTH_NONE, 0, NULL },
	{ "POST", "/hooks/dialpad", HTTP_AUTH_NONE, 0, NULL },
	{ "POST", "/hooks/**", HTTP_AUTH_NONE, 0, NULL },
	{ "*", "/any", HTTP_AUTH_NONE, 0, NULL },
	{ "GET", "/{a}/{b}/{c}/{d}/{e}", HTTP_AUTH_NONE, 0, NULL },
};

static struct arena arena;

static enum err_code
find(const char *method, const char *path, struct http_match *m)
{
	struct err e;

	return http_route_find(routes, COUNT(routes), str_of(method), str_of(path), &arena, m, &e);
}

static void
assert_served_by(const char *method, const char *path, const char *pattern)
{
	struct http_match m = { .route = NULL };

	assert_int_equal(find(method, path, &m), ERR_OK);
	assert_string_equal(m.route->path, pattern);
}

static void
assert_refused(const char *method, const char *path, enum err_code code)
{
	struct http_match m = { .route = NULL };

	assert_int_equal(find(method, path, &m), code);
	assert_null(m.route);
}

static void
assert_segment(const char *path, struct str want)
{
	struct http_match m = { .nsegments = 0 };

	assert_int_equal(find("GET", path, &m), ERR_OK);
	assert_int_equal(m.nsegments, 1);
	assert_true(str_eq(m.segments[0], want));
}

static void
a_path_is_served_by_the_first_row_that_matches(void **state)
{
	(void)state;
	assert_served_by("GET", "/", "/");
	assert_served_by("GET", "/api/calls", "/api/calls");
	assert_served_by("GET", "/api/calls/active", "/api/calls/active");
	assert_served_by("GET", "/api/calls/activ", "/api/calls/{id}");
	assert_served_by("DELETE", "/api/calls/active", "/api/calls/{id}");
	assert_served_by("GET", "/api/calls/7/parts/2", "/api/calls/{id}/parts/{part}");
	assert_served_by("BREW", "/any", "/any");
}

static void
head_is_served_by_the_row_of_get(void **state)
{
	(void)state;
	assert_served_by("HEAD", "/api/calls", "/api/calls");
	assert_refused("HEAD", "/hooks/dialpad", ERR_METHOD_NOT_ALLOWED);
}

static void
one_slash_at_the_end_is_as_none(void **state)
{
	(void)state;
	assert_served_by("GET", "/api/calls/", "/api/calls");
	assert_served_by("POST", "/hooks/dialpad/", "/hooks/dialpad");
	assert_segment("/api/calls/12/", STR("12"));
	assert_refused("GET", "/api/calls//", ERR_NOT_FOUND);
	assert_refused("GET", "//", ERR_NOT_FOUND);
}

static void
empty_segments_match_nothing(void **state)
{
	(void)state;
	assert_refused("GET", "//api/calls", ERR_NOT_FOUND);
	assert_refused("GET", "/api//calls", ERR_NOT_FOUND);
	assert_refused("GET", "/api/calls//parts/2", ERR_NOT_FOUND);
}

static void
literals_are_compared_byte_by_byte(void **state)
{
	(void)state;
	assert_refused("GET", "/API/calls", ERR_NOT_FOUND);
	assert_refused("GET", "/api/callsx", ERR_NOT_FOUND);
	assert_refused("GET", "/%61pi/calls", ERR_NOT_FOUND);
	assert_refused("GET", "/api%2Fcalls", ERR_NOT_FOUND);
	assert_refused("GET", "/api/./calls", ERR_NOT_FOUND);
	assert_refused("GET", "/hooks", ERR_NOT_FOUND);
}

static void
a_segment_is_decoded_once(void **state)
{
	(void)state;
	assert_segment("/api/calls/a%2Fb", STR("a/b"));
	assert_segment("/api/calls/a%252Fb", STR("a%2Fb"));
	assert_segment("/api/calls/%c3%BC", STR("\xc3\xbc"));
	assert_segment("/api/calls/a+b", STR("a+b"));
	assert_segment("/api/calls/...", STR("..."));
}

static void
a_path_that_decodes_badly_or_climbs_is_refused_whatever_it_names(void **state)
{
	static const char *const paths[] = {
		"/api/calls/%00",
		"/api/calls/a%00b",
		"/api/calls/%",
		"/api/calls/%4",
		"/nothing/%zz",
		"/api/calls/..",
		"/../api/calls",
		"/api/calls/%2e%2E",
		"/nothing/.%2e/x",
		"/api/calls/a%2f..%2fb",
		"/hooks/../x",
		"",
		"api/calls",
	};

	(void)state;
	for (int i = 0; i < COUNT(paths); i++)
		assert_refused("GET", paths[i], ERR_INVALID);
}

static void
a_rest_may_be_anything_or_empty(void **state)
{
	(void)state;
	assert_served_by("POST", "/hooks/x", "/hooks/**");
	assert_served_by("POST", "/hooks/x/y/z/", "/hooks/**");
	assert_served_by("POST", "/hooks//x", "/hooks/**");
	assert_served_by("POST", "/hooks", "/hooks/**");
	assert_served_by("POST", "/hooks/", "/hooks/**");
	assert_refused("POST", "/hooksx", ERR_NOT_FOUND);
}

static void
a_known_path_with_another_method_is_405_and_tells_the_methods(void **state)
{
	static const struct {
		const char *method, *path, *allow;
	} rows[] = {
		{ "POST", "/api/calls", "GET, HEAD, OPTIONS" },
		{ "PUT", "/api/calls/7", "GET, HEAD, DELETE, OPTIONS" },
		{ "PUT", "/api/calls/active", "GET, HEAD, DELETE, OPTIONS" },
		{ "GET", "/hooks/dialpad", "POST" },
		{ "POST", "/", "GET, HEAD" },
		{ "get", "/", "GET, HEAD" },
	};

	(void)state;
	for (int i = 0; i < COUNT(rows); i++) {
		AUTO_RELEASE(buf_release) struct buf allow = BUF(200);

		assert_refused(rows[i].method, rows[i].path, ERR_METHOD_NOT_ALLOWED);
		http_route_allow(routes, COUNT(routes), str_of(rows[i].path), &allow);
		assert_string_equal(buf_c(&allow), rows[i].allow);
	}
}

static void
a_rest_alone_does_not_make_a_path_known(void **state)
{
	(void)state;
	assert_refused("GET", "/api/nothing", ERR_NOT_FOUND);
	assert_refused("GET", "/hooks/nothing", ERR_NOT_FOUND);
}

static void
more_placeholders_than_there_is_room_for_never_match(void **state)
{
	(void)state;
	assert_refused("GET", "/1/2/3/4/5", ERR_NOT_FOUND);
}

static void
assert_query(struct http_req *req, const char *raw, enum err_code code, int n)
{
	struct err e;

	assert_int_equal(http_uri_query(req, str_of(raw), &e), code);
	if (code == ERR_OK)
		assert_int_equal(req->nquery, n);
}

static void
a_query_is_split_and_decoded(void **state)
{
	struct http_req req = { .nquery = 0 };

	(void)state;
	assert_query(&req, NULL, ERR_OK, 0);
	assert_query(&req, "", ERR_OK, 0);
	assert_query(&req, "&&", ERR_OK, 0);
	assert_query(&req, "a=1&b=x%20y+z&&c&=d&e=f=g", ERR_OK, 5);
	assert_true(str_eq(req.query[1].name, STR("b")));
	assert_true(str_eq(req.query[1].value, STR("x y z")));
	assert_int_equal(req.query[2].value.n, 0);
	assert_true(str_eq(req.query[4].value, STR("f=g")));
	assert_query(&req, "a=%", ERR_INVALID, 0);
	assert_query(&req, "%0=1", ERR_INVALID, 0);
	assert_query(&req, "a=x%00", ERR_INVALID, 0);
	arena_release(&req.arena);
}

static void
a_query_of_too_many_items_is_refused(void **state)
{
	struct http_req req = { .nquery = 0 };
	AUTO_RELEASE(buf_release) struct buf raw = BUF(1000);

	(void)state;
	for (int i = 0; i < HTTP_MAX_QUERY; i++)
		buf_add_fmt(&raw, "a%d=1&", i);
	assert_query(&req, buf_c(&raw), ERR_OK, HTTP_MAX_QUERY);
	buf_add_c(&raw, "b=1");
	assert_query(&req, buf_c(&raw), ERR_INVALID, 0);
}

static int
release_arena(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_served_by_the_first_row_that_matches),
		cmocka_unit_test(head_is_served_by_the_row_of_get),
		cmocka_unit_test(one_slash_at_the_end_is_as_none),
		cmocka_unit_test(empty_segments_match_nothing),
		cmocka_unit_test(literals_are_compared_byte_by_byte),
		cmocka_unit_test(a_segment_is_decoded_once),
		cmocka_unit_test(a_path_that_decodes_badly_or_climbs_is_refused_whatever_it_names),
		cmocka_unit_test(a_rest_may_be_anything_or_empty),
		cmocka_unit_test(a_known_path_with_another_method_is_405_and_tells_the_methods),
		cmocka_unit_test(a_rest_alone_does_not_make_a_path_known),
		cmocka_unit_test(more_placeholders_than_there_is_room_for_never_match),
		cmocka_unit_test(a_query_is_split_and_decoded),
		cmocka_unit_test(a_query_of_too_many_items_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, release_arena);
}

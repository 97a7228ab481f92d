/* common/http: the gate before the route, and what an answer has besides its body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/http_server.h"
#include "test/unit/raw_http.h"
#include "test/unit/server_kit.h"

#define GET "GET /hello HTTP/1.1\r\n"
#define END "\r\n"

/* The request's header "x-gate" says what the gate is to do. */
static enum err_code
gate(const struct http_req *req, struct http_res *res, bool *answered, struct err *e)
{
	struct str wish = http_header(req, "x-gate");

	if (wish.n > 0)
		http_header_add(res, "X-Passed", wish);
	if (str_eq(wish, STR("refuse")))
		return err_set(e, ERR_FORBIDDEN, "not through here");
	*answered = str_eq(wish, STR("answer"));
	if (*answered)
		res->status = 204;
	return ERR_OK;
}

static enum err_code
authenticate(struct http_req *req, struct http_res *res, enum http_auth auth, struct err *e)
{
	(void)req;
	http_header_add(res, "X-Seen-By", STR("auth"));
	if (auth == HTTP_AUTH_VISITOR)
		return ERR_OK;
	return err_set(e, ERR_UNAUTHORIZED, "nobody is known here");
}

static enum err_code
echo_query(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)e;
	buf_add_str(&res->body, req->raw_query);
	return ERR_OK;
}

static enum err_code
count_lines(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)e;
	for (int i = 0; i < 3; i++) {
		struct str line = http_header_nth(req, "x-line", i);

		buf_add_fmt(&res->body, "[%.*s]", STR_ARG(line));
	}
	return ERR_OK;
}

static enum err_code
page(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)e;
	res->content_type = "text/html; charset=utf-8";
	if (req->raw_query.n > 0)
		http_header_add(res, "Content-Security-Policy", STR("default-src 'self'"));
	buf_add_c(&res->body, "<!doctype html><title>x</title>");
	return ERR_OK;
}

static const struct http_route routes[] = {
	{ "GET", "/hello", HTTP_AUTH_NONE, 0, echo_query },
	{ "GET", "/lines", HTTP_AUTH_NONE, 0, count_lines },
	{ "GET", "/page", HTTP_AUTH_NONE, 0, page },
	{ "GET", "/visit", HTTP_AUTH_VISITOR, 0, echo_query },
	{ "POST", "/private", HTTP_AUTH_ADMIN, 10, echo_query },
};

static void
assert_has(struct raw_reply r, const char *text)
{
	if (strstr(r.text, text) == NULL)
		fail_msg("no \"%s\" in %s", text, r.text);
}

static void
the_gate_sees_every_request_before_its_route(void **state)
{
	static const struct {
		const char *request;
		int status;
	} asked[] = {
		{ GET "x-gate: pass" END END, 200 },
		{ GET "x-gate: refuse" END END, 403 },
		{ GET "x-gate: answer" END END, 204 },
		{ "OPTIONS /nowhere HTTP/1.1" END "x-gate: answer" END END, 204 },
		{ "GET /nowhere HTTP/1.1" END "x-gate: pass" END END, 404 },
		{ "DELETE /hello HTTP/1.1" END "x-gate: pass" END END, 405 },
		{ "POST /private HTTP/1.1" END "x-gate: pass" END END, 401 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		struct raw_reply r = raw_ask(port, asked[i].request);

		assert_int_equal(r.status, asked[i].status);
		assert_has(r, "\r\nX-Passed: ");
	}
}

static void
what_authentication_adds_stays_when_it_refuses(void **state)
{
	struct raw_reply r = raw_ask(port, "POST /private HTTP/1.1" END END);

	(void)state;
	assert_int_equal(r.status, 401);
	assert_has(r, "\r\nX-Seen-By: auth\r\n");
	r = raw_ask(port, "GET /visit HTTP/1.1" END END);
	assert_int_equal(r.status, 200);
	assert_has(r, "\r\nX-Seen-By: auth\r\n");
}

static void
a_page_for_people_may_do_nothing_and_stands_in_no_frame(void **state)
{
	struct raw_reply r = raw_ask(port, "GET /page HTTP/1.1" END END);

	(void)state;
	assert_has(r, "\r\nContent-Security-Policy: default-src 'none'");
	assert_has(r, "frame-ancestors 'none'");
	assert_has(r, "\r\nX-Frame-Options: DENY\r\n");
	assert_has(r, "\r\nReferrer-Policy: no-referrer\r\n");
	r = raw_ask(port, "GET /page?own HTTP/1.1" END END);
	assert_has(r, "\r\nContent-Security-Policy: default-src 'self'\r\n");
	assert_null(strstr(r.text, "default-src 'none'"));
	r = raw_ask(port, GET END);
	assert_null(strstr(r.text, "Content-Security-Policy"));
}

static void
each_line_of_a_header_can_be_read(void **state)
{
	struct raw_reply r = raw_ask(
	    port, "GET /lines HTTP/1.1" END "X-Line: a, b" END "Host: x" END "x-line:  c " END END);

	(void)state;
	assert_has(r, "\r\n\r\n[a, b][c][]");
}

static void
the_query_is_there_as_it_was_sent(void **state)
{
	struct raw_reply r = raw_ask(port, "GET /hello?a=%41&b HTTP/1.1" END END);

	(void)state;
	assert_has(r, "\r\n\r\na=%41&b");
}

static int
start(void **state)
{
	(void)state;
	return serve(&(struct http_server_opts){
	    .threads = 2,
	    .routes = routes,
	    .nroutes = sizeof routes / sizeof routes[0],
	    .gate = gate,
	    .auth = authenticate,
	    .request_ms = 3000,
	});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gate_sees_every_request_before_its_route),
		cmocka_unit_test(what_authentication_adds_stays_when_it_refuses),
		cmocka_unit_test(a_page_for_people_may_do_nothing_and_stands_in_no_frame),
		cmocka_unit_test(each_line_of_a_header_can_be_read),
		cmocka_unit_test(the_query_is_there_as_it_was_sent),
	};

	return cmocka_run_group_tests(tests, start, stop_serving);
}

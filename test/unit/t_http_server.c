/* common/http on the wire: what a real server answers to well-formed and to odd requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/http/http_server.h"
#include "test/unit/raw_http.h"
#include "test/unit/server_kit.h"

#include <pthread.h>

enum { REQUEST_MS = 5000, MAX_ECHO = 100 * 1024, STACK_BYTES = 300 * 1024 };

#define GET "GET /hello HTTP/1.1\r\n"
#define POST "POST /echo HTTP/1.1\r\n"
#define END "\r\n"

static struct {
	pthread_mutex_t lock;
	struct buf lines;
} logged = { .lock = PTHREAD_MUTEX_INITIALIZER, .lines.max = 1024 * 1024 };

static enum err_code
echo(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)e;
	res->content_type = "application/octet-stream";
	buf_add_str(&res->body, req->body);
	return ERR_OK;
}

static enum err_code
break_down(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	http_header_add(res, "X-Kept", STR("yes"));
	buf_add_c(&res->body, "half an answer");
	return err_set(e, ERR_INTERNAL, "inner workings");
}

static enum err_code
refuse(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)res;
	return err_set(e, ERR_INVALID, "\"%.*s\" is no id", STR_ARG(req->segments[0]));
}

static enum err_code
no_content(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	res->status = 204;
	http_header_add(res, "Cache-Control", STR("max-age=60"));
	return ERR_OK;
}

static __attribute__((noinline)) int
fill_stack(unsigned char with)
{
	volatile unsigned char big[STACK_BYTES] = { 0 };

	for (size_t i = 0; i < sizeof big; i += 512)
		big[i] = with;
	return big[STACK_BYTES - 512];
}

static enum err_code
deep(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	buf_add_fmt(&res->body, "%d", fill_stack(7));
	return ERR_OK;
}

static enum err_code
authenticate(struct http_req *req, struct http_res *res, enum http_auth auth, struct err *e)
{
	(void)res;
	(void)auth;
	if (str_eq(http_header(req, "x-key"), STR("right")))
		return ERR_OK;
	return err_set(e, ERR_UNAUTHORIZED, "missing or unknown key");
}

static const struct http_route routes[] = {
	{ "GET", "/hello", HTTP_AUTH_NONE, 0, hello },
	{ "POST", "/echo", HTTP_AUTH_NONE, MAX_ECHO, echo },
	{ "POST", "/private", HTTP_AUTH_ADMIN, 10, echo },
	{ "GET", "/fail", HTTP_AUTH_NONE, 0, break_down },
	{ "GET", "/items/{id}", HTTP_AUTH_NONE, 0, refuse },
	{ "GET", "/nothing", HTTP_AUTH_NONE, 0, no_content },
	{ "GET", "/deep", HTTP_AUTH_NONE, 0, deep },
};

static void
keep_line(struct str line, void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&logged.lock);
	buf_add_str(&logged.lines, line);
	buf_add_char(&logged.lines, '\n');
	(void)pthread_mutex_unlock(&logged.lock);
}

/* The answer leaves before the line is written. */
static bool
is_logged(const char *text)
{
	bool found = false;

	for (int i = 0; i < 100 && !found; i++) {
		(void)pthread_mutex_lock(&logged.lock);
		found = strstr(buf_c(&logged.lines), text) != NULL;
		(void)pthread_mutex_unlock(&logged.lock);
		clock_sleep_ms(found ? 0 : 10);
	}
	return found;
}

static void
assert_has(struct raw_reply r, const char *text)
{
	if (strstr(r.text, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, r.text);
}

static void
assert_lacks(struct raw_reply r, const char *text)
{
	if (strstr(r.text, text) != NULL)
		fail_msg("\"%s\" in: %s", text, r.text);
}

/* What each request of the table is answered; 0: closed without an answer. */
static const struct {
	const char *what, *request;
	int status;
	const char *has;
} table[] = {
	{ "plain", GET "Host: x" END END, 200, "\r\n\r\n{\"hello\":true}" },
	{ "HTTP/1.0", "GET /hello HTTP/1.0" END END, 200, "{\"hello\":true}" },
	{ "without Host", GET END, 200, "true" },
	{ "LF only", "GET /hello HTTP/1.1\nHost: x\n\n", 200, "true" },
	{ "slash at the end", "GET /hello/?a=b HTTP/1.1" END END, 200, "true" },
	{ "unknown path", "GET /hell HTTP/1.1" END END, 404, "\"title\":\"Not found\"" },
	{ "longer path", "GET /helloo HTTP/1.1" END END, 404, "" },
	{ "other case", "GET /HELLO HTTP/1.1" END END, 404, "" },
	{ "dot segments", "GET /x/../hello HTTP/1.1" END END, 400, "segment" },
	{ "encoded NUL", "GET /hello%00 HTTP/1.1" END END, 400, "percent-encoded" },
	{ "encoded CRLF", "GET /items/a%0d%0aX:1 HTTP/1.1" END END, 400, "a\\r\\nX:1" },
	{ "bad query", "GET /hello?a=%zz HTTP/1.1" END END, 400, "query" },
	{ "wrong method", "POST /hello HTTP/1.1" END END, 405, "Allow: GET, HEAD\r\n" },
	{ "CONNECT", "CONNECT /echo HTTP/1.1" END END, 405, "Allow: POST\r\n" },
	{ "WebDAV", "PROPFIND /echo HTTP/1.1" END END, 405, "Allow: POST\r\n" },
	{ "pre-flight",
	    "OPTIONS /hello HTTP/1.1" END "Origin: http://x" END
	    "Access-Control-Request-Method: GET" END END,
	    405, "Allow: GET, HEAD\r\n" },
	{ "TRACE", "TRACE /hello HTTP/1.1" END END, 400, "problem+json" },
	{ "unknown method", "BREW /hello HTTP/1.1" END END, 400, "problem+json" },
	{ "HTTP/2.0", "GET /hello HTTP/2.0" END END, 400, "problem+json" },
	{ "no HTTP", "hello" END END, 400, "problem+json" },
	{ "bad target", "GET hello HTTP/1.1" END END, 400, "problem+json" },
	{ "tab in a value", GET "A: b\tc" END END, 400, "problem+json" },
	{ "absolute target", "GET http://x/hello HTTP/1.1" END END, 0, "" },
	{ "asterisk", "OPTIONS * HTTP/1.1" END END, 0, "" },
	{ "WebSocket offered",
	    GET "Upgrade: websocket" END "Connection: Upgrade" END "Sec-WebSocket-Key: x" END
		"Sec-WebSocket-Version: 13" END END,
	    200, "{\"hello\":true}" },
	{ "body", POST "Content-Length: 3" END END "abc", 200, "\r\n\r\nabc" },
	{ "no body", POST END, 200, "Content-Length: 0\r\n" },
	{ "chunks",
	    POST "Transfer-Encoding: chunked" END END "3" END "abc" END "a" END "0123456789" END
		 "0" END END,
	    200, "\r\n\r\nabc0123456789" },
	{ "chunks and trailer",
	    POST "Transfer-Encoding: chunked" END END "3" END "abc" END "0" END "A: b" END END, 200,
	    "\r\n\r\nabc" },
	{ "chunk extension",
	    POST "Transfer-Encoding: chunked" END END "3;x=y" END "abc" END "0" END END, 400,
	    "ended early" },
	{ "bad chunk end", POST "Transfer-Encoding: chunked" END END "3" END "abcd" END "0" END END,
	    400, "ended early" },
	{ "other coding", POST "Transfer-Encoding: gzip, chunked" END END, 400, "problem+json" },
	{ "chunks and length",
	    POST "Transfer-Encoding: chunked" END "Content-Length: 3" END END "0" END END, 400,
	    "more than once" },
	{ "two lengths", POST "Content-Length: 3" END "Content-Length: 3" END END "abc", 400,
	    "more than once" },
	{ "length with a tail", POST "Content-Length: 3x" END END "abc", 400, "whole number" },
	{ "signed length", POST "Content-Length: +3" END END "abc", 400, "whole number" },
	{ "negative length", POST "Content-Length: -3" END END "abc", 400, "problem+json" },
	{ "huge length", POST "Content-Length: 99999999999999999999" END END, 400, "whole number" },
	{ "body over the limit", POST "Content-Length: 102401" END END, 413, "102400 bytes" },
	{ "body where none is taken", GET "Content-Length: 1" END END "x", 413, "takes no body" },
	{ "unauthorized, body unread",
	    "POST /private HTTP/1.1" END "Content-Length: 999999" END END, 401,
	    "missing or unknown key" },
	{ "authorized",
	    "POST /private HTTP/1.1" END "X-KEY:  right " END "Content-Length: 2" END END "ok", 200,
	    "\r\n\r\nok" },
	{ "deep stack", "GET /deep HTTP/1.1" END END, 200, "\r\n\r\n7" },
};

static void
each_request_gets_its_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct raw_reply r = raw_ask(port, table[i].request);

		if (r.status != table[i].status || strstr(r.text, table[i].has) == NULL)
			fail_msg("%s: %d, %s", table[i].what, r.status, r.text);
		if (r.status != 0)
			assert_has(r, "\r\nConnection: close\r\n");
	}
}

static void
headers_are_complete(void **state)
{
	struct raw_reply r = raw_ask(port, GET END);

	(void)state;
	assert_has(
	    r, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n");
	assert_has(r, "\r\nDate: ");
	assert_has(r, " GMT\r\nCache-Control: no-store\r\n");
	assert_has(r, "\r\nX-Content-Type-Options: nosniff\r\n");
	assert_has(r, "\r\nStrict-Transport-Security: max-age=1\r\n");
	assert_lacks(r, "Retry-After");
	r = raw_ask(port, "GET /nothing HTTP/1.1" END END);
	assert_int_equal(r.status, 204);
	assert_has(r, "\r\nCache-Control: max-age=60\r\n");
	assert_lacks(r, "no-store");
	assert_lacks(r, "Content-Length");
}

static void
head_is_get_without_the_body(void **state)
{
	struct raw_reply r = raw_ask(port, "HEAD /hello HTTP/1.1" END END);

	(void)state;
	assert_int_equal(r.status, 200);
	assert_has(r, "\r\nContent-Length: 14\r\n");
	assert_memory_equal(r.text + r.n - 4, "\r\n\r\n", 4);
	r = raw_ask(port, "HEAD /hell HTTP/1.1" END END);
	assert_int_equal(r.status, 404);
	assert_memory_equal(r.text + r.n - 4, "\r\n\r\n", 4);
}

static void
a_request_id_is_taken_over_or_made(void **state)
{
	struct raw_reply r = raw_ask(port, GET "x-request-id: abc-1.2_Z" END END);

	(void)state;
	assert_has(r, "\r\nX-Request-Id: abc-1.2_Z\r\n");
	assert_true(is_logged("request_id=abc-1.2_Z"));
	r = raw_ask(port, GET "X-Request-Id: a b" END END);
	assert_lacks(r, "X-Request-Id: a");
	assert_has(r, "\r\nX-Request-Id: ");
	r = raw_ask(port,
	    GET "X-Request-Id: "
		"0123456789012345678901234567890123456789012345678901234567890123x" END END);
	assert_lacks(
	    r, "X-Request-Id: 0123456789012345678901234567890123456789012345678901234567890123");
}

static void
an_inner_failure_is_logged_once_and_not_told(void **state)
{
	struct raw_reply r = raw_ask(port, "GET /fail HTTP/1.1" END "X-Request-Id: f1" END END);
	const char *first;

	(void)state;
	assert_int_equal(r.status, 500);
	assert_has(r,
	    "\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Internal server error\","
	    "\"status\":500,\"error\":\"Internal server error\",\"request_id\":\"f1\"}");
	assert_has(r, "\r\nX-Kept: yes\r\n");
	assert_lacks(r, "inner workings");
	assert_true(is_logged("route=/fail status=500"));
	first = strstr(buf_c(&logged.lines), "inner workings");
	assert_non_null(first);
	assert_null(strstr(first + 1, "inner workings"));
}

static void
the_log_has_the_route_and_never_the_query(void **state)
{
	(void)state;
	(void)raw_ask(port, "GET /items/item-0815?code=hush HTTP/1.1" END END);
	assert_true(is_logged("method=GET route=/items/{id} status=400 dur_ms="));
	(void)raw_ask(port, "GET /strange?code=hush HTTP/1.1" END END);
	assert_true(is_logged("route=unmatched status=404"));
	assert_null(strstr(buf_c(&logged.lines), "hush"));
	assert_null(strstr(buf_c(&logged.lines), "item-0815"));
}

static struct raw_reply
ask_with_headers(int n)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(64 * 1024);

	buf_add_c(&b, GET);
	for (int i = 0; i < n; i++)
		buf_add_fmt(&b, "A%d: b\r\n", i);
	buf_add_c(&b, END);
	return raw_ask(port, buf_c(&b));
}

static void
more_headers_than_the_library_keeps_are_refused(void **state)
{
	(void)state;
	assert_int_equal(ask_with_headers(63).status, 200);
	assert_int_equal(ask_with_headers(64).status, 431);
	assert_int_equal(ask_with_headers(65).status, 431);
	assert_int_equal(ask_with_headers(4000).status, 400); /* over 16 KB */
}

static void
a_second_request_in_the_connection_is_not_served(void **state)
{
	struct raw_reply r = raw_ask(port, GET END GET END);
	const char *second = strstr(r.text + 1, "HTTP/1.1");

	(void)state;
	assert_int_equal(r.status, 200);
	assert_null(second);
	r = raw_ask(port,
	    POST "Connection: keep-alive" END " folded" END "Content-Length: 22" END END GET END);
	assert_int_equal(r.status, 200);
	assert_lacks(r, "hello");
}

static void
a_port_in_use_is_named(void **state)
{
	struct http_server_opts o = {
		.address = "127.0.0.1", .port = port, .threads = 1, .request_ms = 1000
	};
	struct http_server *second = NULL;
	struct err e;
	char name[32];

	(void)state;
	assert_int_equal(http_server_start(&o, &second, &e), ERR_UNAVAILABLE);
	assert_null(second);
	(void)snprintf(name, sizeof name, "127.0.0.1:%d", port);
	assert_non_null(strstr(e.msg, name));
}

static int
start(void **state)
{
	(void)state;
	log_init(&(struct log_opts){ .daemon = "test", .level = LOG_INFO, .json = false });
	log_redirect(keep_line, NULL);
	return serve(&(struct http_server_opts){
	    .threads = 4,
	    .routes = routes,
	    .nroutes = sizeof routes / sizeof routes[0],
	    .auth = authenticate,
	    .request_ms = REQUEST_MS,
	    .log_requests = true,
	    .hsts = "max-age=1",
	});
}

static int
stop(void **state)
{
	int rc = stop_serving(state);

	buf_release(&logged.lines);
	return rc;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_gets_its_answer),
		cmocka_unit_test(headers_are_complete),
		cmocka_unit_test(head_is_get_without_the_body),
		cmocka_unit_test(a_request_id_is_taken_over_or_made),
		cmocka_unit_test(an_inner_failure_is_logged_once_and_not_told),
		cmocka_unit_test(the_log_has_the_route_and_never_the_query),
		cmocka_unit_test(more_headers_than_the_library_keeps_are_refused),
		cmocka_unit_test(a_second_request_in_the_connection_is_not_served),
		cmocka_unit_test(a_port_in_use_is_named),
	};

	return cmocka_run_group_tests(tests, start, stop);
}

/* common/http/http_body and http_deadline: bodies that come slowly, partly or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/http/http_server.h"
#include "test/unit/raw_http.h"
#include "test/unit/server_kit.h"

/* LATE_MS: by so much a busy machine may miss the deadline; what has none takes longer still. */
enum { REQUEST_MS = 700, LATE_MS = 4000, MAX_ECHO = 100 * 1024 };

#define POST "POST /echo HTTP/1.1\r\n"
#define END "\r\n"

static enum err_code
echo(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)e;
	buf_add_str(&res->body, req->body);
	return ERR_OK;
}

/* How long ago the request began, in ms. */
static enum err_code
age(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)e;
	buf_add_i64(&res->body, clock_mono_ms() - req->begun_ms);
	return ERR_OK;
}

static const struct http_route routes[] = {
	{ "POST", "/echo", HTTP_AUTH_NONE, MAX_ECHO, echo },
	{ "GET", "/age", HTTP_AUTH_NONE, 0, age },
};

static void
assert_has(struct raw_reply r, const char *text)
{
	if (strstr(r.text, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, r.text);
}

static void
a_body_that_is_cut_is_never_a_success(void **state)
{
	int fd = raw_open(port);
	struct raw_reply r;

	(void)state;
	assert_true(raw_send(fd, STR(POST "Content-Length: 8" END END "abc")));
	assert_return_code(shutdown(fd, SHUT_WR), errno);
	r = raw_receive(fd);
	assert_int_equal(r.status, 400);
	assert_has(r, "(3 bytes came)");
}

/* Send a byte each 50 ms until the server ends it; the time that took. */
static int64_t
drip(const char *start, struct raw_reply *r)
{
	int64_t begun_ms = clock_mono_ms();
	int fd = raw_open(port);
	char byte;

	assert_true(raw_send(fd, str_of(start)));
	for (int i = 0; i < 200; i++) {
		clock_sleep_ms(50);
		if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || !raw_send(fd, STR("1")))
			break;
	}
	*r = raw_receive(fd);
	return clock_mono_ms() - begun_ms;
}

static void
a_request_that_drips_is_ended_at_the_deadline(void **state)
{
	static const char *const starts[] = {
		POST "Content-Length: 1000" END END,
		POST "Transfer-Encoding: chunked" END END "fff" END,
		POST "Transfer-Encoding: chunked" END END,
		POST "A: ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		struct raw_reply r;
		int64_t took_ms = drip(starts[i], &r);

		assert_int_equal(r.status, 408);
		assert_in_range(took_ms, REQUEST_MS, REQUEST_MS + LATE_MS);
	}
}

static void
a_body_that_stalls_is_ended_at_the_deadline(void **state)
{
	int64_t begun_ms = clock_mono_ms();
	struct raw_reply r = raw_ask(port, POST "Content-Length: 8" END END "abc");

	(void)state;
	assert_int_equal(r.status, 408);
	assert_in_range(clock_mono_ms() - begun_ms, REQUEST_MS, REQUEST_MS + LATE_MS);
}

static void
a_connection_that_falls_silent_is_closed_at_the_deadline(void **state)
{
	int64_t begun_ms = clock_mono_ms();
	struct raw_reply r = raw_ask(port, "P");

	(void)state;
	assert_true(r.n == 0 || r.status == 408);
	assert_in_range(clock_mono_ms() - begun_ms, REQUEST_MS, REQUEST_MS + LATE_MS);
}

static void
a_request_begins_before_its_headers_have_come(void **state)
{
	int fd = raw_open(port);
	struct raw_reply r;

	(void)state;
	assert_true(raw_send(fd, STR("GET /age HTTP/1.1" END "A: ")));
	clock_sleep_ms(REQUEST_MS / 2);
	assert_true(raw_send(fd, STR(END END)));
	r = raw_receive(fd);
	assert_int_equal(r.status, 200);
	assert_in_range(strtol(strstr(r.text, END END), NULL, 10), REQUEST_MS / 2 - 50, REQUEST_MS);
}

static void
a_client_that_waits_for_100_is_invited(void **state)
{
	struct raw_reply r =
	    raw_ask(port, POST "Expect: 100-Continue" END "Content-Length: 3" END END "abc");

	(void)state;
	assert_int_equal(r.status, 100);
	assert_has(r, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n");
	r = raw_ask(port, POST "Expect: 100-continue" END "Content-Length: 102401" END END);
	assert_int_equal(r.status, 413);
	r = raw_ask(port, POST "Expect: 100-continue" END END);
	assert_int_equal(r.status, 200);
}

static void
a_body_up_to_the_limit_arrives_whole(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(200 * 1024);
	struct raw_reply r;
	size_t head;

	(void)state;
	buf_add_fmt(&b, POST "Content-Length: %d" END END, MAX_ECHO);
	head = b.n;
	for (int i = 0; i < MAX_ECHO; i++)
		buf_add_char(&b, (char)('a' + i % 23));
	r = raw_ask(port, buf_c(&b));
	assert_int_equal(r.status, 200);
	assert_memory_equal(r.text + r.n - MAX_ECHO, b.p + head, MAX_ECHO);
}

/* The client below sends everything before it reads: without care it would see a reset. */
static void
the_refusal_of_a_long_body_reaches_its_sender(void **state)
{
	static char much[2 * 1024 * 1024];
	const char *const starts[] = {
		POST "Content-Length: 2097152" END END,
		POST "Transfer-Encoding: chunked" END END "200000" END,
	};

	(void)state;
	memset(much, 'x', sizeof much);
	for (size_t i = 0; i < 2; i++) {
		int fd = raw_open(port);
		struct raw_reply r;

		assert_true(raw_send(fd, str_of(starts[i])));
		assert_true(raw_send(fd, (struct str){ much, sizeof much }));
		r = raw_receive(fd);
		assert_int_equal(r.status, 413);
		assert_false(r.reset);
	}
}

static int
start(void **state)
{
	(void)state;
	log_init(&(struct log_opts){ .daemon = "test", .level = LOG_ERROR });
	return serve(&(struct http_server_opts){
	    .threads = 4,
	    .routes = routes,
	    .nroutes = sizeof routes / sizeof routes[0],
	    .request_ms = REQUEST_MS,
	});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_that_is_cut_is_never_a_success),
		cmocka_unit_test(a_request_that_drips_is_ended_at_the_deadline),
		cmocka_unit_test(a_body_that_stalls_is_ended_at_the_deadline),
		cmocka_unit_test(a_connection_that_falls_silent_is_closed_at_the_deadline),
		cmocka_unit_test(a_request_begins_before_its_headers_have_come),
		cmocka_unit_test(a_client_that_waits_for_100_is_invited),
		cmocka_unit_test(a_body_up_to_the_limit_arrives_whole),
		cmocka_unit_test(the_refusal_of_a_long_body_reaches_its_sender),
	};

	return cmocka_run_group_tests(tests, start, stop_serving);
}

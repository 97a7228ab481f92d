/* common/http with reuse: which connections live on after an answer, and which end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/http_server.h"
#include "test/unit/raw_http.h"
#include "test/unit/server_kit.h"

/* LATE_MS: by so much a busy machine may miss the deadline. */
enum { THREADS = 4, REQUEST_MS = 1000, LATE_MS = 4000 };

#define POST "POST /echo HTTP/1.1\r\n"
#define END "\r\n"

static enum err_code
echo(struct http_req *req, struct http_res *res, struct err *e)
{
	if (str_eq(req->body, STR("bad")))
		return err_set(e, ERR_INVALID, "bad");
	buf_add_str(&res->body, req->body);
	return ERR_OK;
}

static const struct http_route routes[] = {
	{ "POST", "/echo", HTTP_AUTH_NONE, 1024, echo },
	{ "PUT", "/echo", HTTP_AUTH_NONE, 1024, echo },
	{ "GET", "/echo", HTTP_AUTH_NONE, 0, echo },
};

/* How many answers come when both requests are sent on one connection, one after the other. */
static int
answers(const char *first, const char *second, struct raw_reply *r)
{
	int fd = raw_open(port), n = 0;

	assert_true(raw_send(fd, str_of(first)));
	clock_sleep_ms(100);
	(void)raw_send(fd, str_of(second));
	clock_sleep_ms(100);
	(void)shutdown(fd, SHUT_WR);
	*r = raw_receive(fd);
	for (const char *at = r->text; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++)
		n++;
	return n;
}

static void
a_connection_lives_on_after_a_post_that_went_well(void **state)
{
	struct raw_reply r;

	(void)state;
	assert_int_equal(answers(POST "Content-Length: 2" END END "ab",
			     POST "Content-Length: 2" END END "cd", &r),
	    2);
	assert_null(strstr(r.text, "Connection: close"));
	assert_non_null(strstr(r.text, "cd"));
	assert_int_equal(answers(POST "Connection: Keep-Alive" END "Content-Length: 2" END END "ab",
			     POST "Content-Length: 2" END END "cd", &r),
	    2);
}

static void
a_client_that_wants_it_to_end_is_told_that_it_ends(void **state)
{
	static const char *const firsts[] = {
		POST "Connection: Close" END "Content-Length: 2" END END "ab",
		POST "Connection: TE, close" END "Content-Length: 2" END END "ab",
		POST "Connection: TE" END "Content-Length: 2" END END "ab",
	};

	(void)state;
	for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
		struct raw_reply r;

		assert_int_equal(answers(firsts[i], POST "Content-Length: 2" END END "cd", &r), 1);
		assert_non_null(strstr(r.text, "Connection: close\r\n"));
	}
}

static void
every_other_connection_ends(void **state)
{
	static const char *const firsts[] = {
		"GET /echo HTTP/1.1" END END,
		"PUT /echo HTTP/1.1" END "Content-Length: 2" END END "ab",
		POST END,
		POST "Content-Length: 3" END END "bad",
		POST "Transfer-Encoding: chunked" END END "2" END "ab" END "0" END END,
	};

	(void)state;
	for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
		struct raw_reply r;

		assert_int_equal(answers(firsts[i], POST "Content-Length: 2" END END "cd", &r), 1);
		assert_non_null(strstr(r.text, "Connection: close\r\n"));
	}
}

/* One answer, without waiting for the end of the connection. */
static bool
ends_after(int fd)
{
	char text[4096];
	ssize_t n;

	assert_true(raw_send(fd, STR(POST "Content-Length: 2" END END "ab")));
	n = recv(fd, text, sizeof text - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "HTTP/1.1 200"));
	return strstr(text, "Connection: close\r\n") != NULL;
}

static void
idle_connections_leave_threads_for_others(void **state)
{
	int fds[4 * THREADS], ended = 0;

	(void)state;
	for (int i = 0; i < 4 * THREADS; i++) {
		fds[i] = raw_open(port);
		ended += ends_after(fds[i]);
	}
	assert_in_range(ended, 1, 4 * THREADS - THREADS);
	for (int i = 0; i < 4 * THREADS; i++)
		(void)close(fds[i]);
}

/* It may be idle for longer than a request may take. */
static void
a_later_request_has_no_more_time_than_the_first(void **state)
{
	int fd = raw_open(port);
	int64_t begun_ms;
	struct raw_reply r;

	(void)state;
	assert_true(raw_send(fd, STR(POST "Content-Length: 2" END END "ab")));
	clock_sleep_ms(100);
	begun_ms = clock_mono_ms();
	assert_true(raw_send(fd, STR(POST "Content-Length: 8" END END "abc")));
	r = raw_receive(fd);
	assert_non_null(strstr(r.text, "HTTP/1.1 408"));
	assert_in_range(clock_mono_ms() - begun_ms, REQUEST_MS - 50, REQUEST_MS + LATE_MS);
}

/* The last test of the group: from here on no connection of this server lives on. */
static void
a_server_that_is_about_to_stop_serves_and_lets_connections_end(void **state)
{
	struct raw_reply r;

	(void)state;
	http_server_end_reuse(server);
	assert_int_equal(answers(POST "Content-Length: 2" END END "ab",
			     POST "Content-Length: 2" END END "cd", &r),
	    1);
	assert_non_null(strstr(r.text, "HTTP/1.1 200"));
	assert_non_null(strstr(r.text, "Connection: close\r\n"));
}

static int
start(void **state)
{
	(void)state;
	return serve(&(struct http_server_opts){
	    .threads = THREADS,
	    .routes = routes,
	    .nroutes = sizeof routes / sizeof routes[0],
	    .reuse = true,
	    .request_ms = REQUEST_MS,
	});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_lives_on_after_a_post_that_went_well),
		cmocka_unit_test(a_client_that_wants_it_to_end_is_told_that_it_ends),
		cmocka_unit_test(every_other_connection_ends),
		cmocka_unit_test(idle_connections_leave_threads_for_others),
		cmocka_unit_test(a_later_request_has_no_more_time_than_the_first),
		cmocka_unit_test(a_server_that_is_about_to_stop_serves_and_lets_connections_end),
	};

	return cmocka_run_group_tests(tests, start, stop_serving);
}

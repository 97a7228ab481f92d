/* common/http/http_late on the wire: answers that come when the handler has long returned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/http/http_late.h"
#include "common/http/http_server.h"
#include "test/unit/raw_http.h"
#include "test/unit/server_kit.h"

#include <stdatomic.h>

enum { WAIT_MS = 300, THREADS = 4 };

static atomic_int gone;

static void
late_open(void *arg, struct http_late *l)
{
	*(struct http_late **)arg = l;
}

static void
late_due(void *arg)
{
	http_late_answer(*(struct http_late **)arg, STR("{\"late\":true}"));
}

static void
late_gone(void *arg)
{
	(void)atomic_fetch_add(&gone, 1);
	free(arg);
}

static enum err_code
answer_late(struct http_req *req, struct http_res *res, struct err *e)
{
	static const struct http_late_calls calls = { late_open, late_due, late_gone };

	(void)e;
	http_header_add(res, "X-Kept", STR("yes"));
	http_late_leave(req, res, &calls, calloc(1, sizeof(struct http_late *)), WAIT_MS);
	return ERR_OK;
}

static enum err_code
fail_late(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)answer_late(req, res, e);
	return err_set(e, ERR_INVALID, "changed my mind");
}

static const struct http_route routes[] = {
	{ "GET", "/hello", HTTP_AUTH_NONE, 0, hello },
	{ "GET", "/late", HTTP_AUTH_NONE, 0, answer_late },
	{ "GET", "/fails", HTTP_AUTH_NONE, 0, fail_late },
};

static int
start(void **state)
{
	(void)state;
	return serve(&(struct http_server_opts){
	    .threads = THREADS,
	    .wait_ms = 5000,
	    .routes = routes,
	    .nroutes = sizeof routes / sizeof routes[0],
	    .socket_threads = 2,
	});
}

static void
wait_for(atomic_int *counter, int value)
{
	for (int i = 0; i < 2000 && atomic_load(counter) != value; i++)
		clock_sleep_ms(10);
	assert_int_equal(atomic_load(counter), value);
}

static void
a_late_answer_comes_whole_and_holds_no_thread(void **state)
{
	int fds[40];
	int before = atomic_load(&gone);

	(void)state;
	for (int i = 0; i < 40; i++) {
		fds[i] = raw_open(port);
		assert_true(raw_send(fds[i], STR("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")));
	}
	assert_int_equal(raw_ask(port, "GET /hello HTTP/1.1\r\n\r\n").status, 200);
	for (int i = 0; i < 40; i++) {
		struct raw_reply r = raw_receive(fds[i]);

		assert_int_equal(r.status, 200);
		assert_false(r.reset);
		assert_non_null(strstr(r.text, "\r\nContent-Length: 13\r\n"));
		assert_non_null(strstr(r.text, "\r\nX-Kept: yes\r\n"));
		assert_non_null(strstr(r.text, "\r\n\r\n{\"late\":true}"));
	}
	wait_for(&gone, before + 40);
}

static void
who_does_not_wait_for_a_late_answer_is_gone(void **state)
{
	int before = atomic_load(&gone), fd = raw_open(port);

	(void)state;
	assert_true(raw_send(fd, STR("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")));
	clock_sleep_ms(50);
	(void)close(fd);
	wait_for(&gone, before + 1);
}

static void
a_handler_that_fails_after_all_is_answered_as_any(void **state)
{
	int before = atomic_load(&gone);

	(void)state;
	assert_int_equal(raw_ask(port, "GET /fails HTTP/1.1\r\n\r\n").status, 400);
	wait_for(&gone, before + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_answer_comes_whole_and_holds_no_thread),
		cmocka_unit_test(who_does_not_wait_for_a_late_answer_is_gone),
		cmocka_unit_test(a_handler_that_fails_after_all_is_answered_as_any),
	};

	log_init(&(struct log_opts){ .daemon = "t_http_late", .level = LOG_ERROR });
	return cmocka_run_group_tests(tests, start, stop_serving);
}

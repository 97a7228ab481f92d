/* common/http and clients that hold connections without getting on: others are served meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/http_server.h"
#include "test/unit/raw_http.h"
#include "test/unit/server_kit.h"

/* Far more idlers than threads; each alone could hold a thread for a minute. */
enum { THREADS = 8, IDLERS = 100, REQUEST_MS = 60000, WAIT_MS = 5000 };

#define FAST "GET /fast HTTP/1.1\r\n\r\n"
#define POST "POST /fast HTTP/1.1\r\nContent-Length: 3\r\n\r\n"

static enum err_code
fast(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	buf_add_c(&res->body, "\"soon\"");
	return ERR_OK;
}

static const struct http_route routes[] = {
	{ "GET", "/fast", HTTP_AUTH_NONE, 0, fast },
	{ "POST", "/fast", HTTP_AUTH_NONE, 10, fast },
};

/* raw_receive() waits for ten seconds at most. */
static void
expect_service_beside(const char *each_sends)
{
	int idlers[IDLERS];

	for (int i = 0; i < IDLERS; i++) {
		idlers[i] = raw_open(port);
		assert_true(raw_send(idlers[i], str_of(each_sends)));
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(raw_ask(port, FAST).status, 200);
	for (int i = 0; i < IDLERS; i++)
		(void)close(idlers[i]);
}

static void
silent_connections_hold_no_thread(void **state)
{
	int64_t begun_ms = clock_mono_ms();

	(void)state;
	expect_service_beside("");
	assert_true(clock_mono_ms() - begun_ms < WAIT_MS);
}

static void
connections_with_half_a_request_give_way(void **state)
{
	(void)state;
	expect_service_beside("GET /fa");
}

static void
connections_with_half_a_body_give_way(void **state)
{
	(void)state;
	expect_service_beside(POST "a");
}

static void
while_there_is_room_a_slow_client_is_waited_for(void **state)
{
	struct raw_reply r = raw_ask(port, FAST); /* the others are gone */
	int fd = raw_open(port);

	(void)state;
	assert_int_equal(r.status, 200);
	assert_true(raw_send(fd, STR(POST)));
	for (int i = 0; i < 3; i++) {
		clock_sleep_ms(400);
		assert_true(raw_send(fd, STR("a")));
	}
	r = raw_receive(fd);
	assert_int_equal(r.status, 200);
}

static int
start(void **state)
{
	(void)state;
	return serve(&(struct http_server_opts){
	    .threads = THREADS,
	    .wait_ms = WAIT_MS,
	    .routes = routes,
	    .nroutes = sizeof routes / sizeof routes[0],
	    .request_ms = REQUEST_MS,
	});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_connections_hold_no_thread),
		cmocka_unit_test(connections_with_half_a_request_give_way),
		cmocka_unit_test(connections_with_half_a_body_give_way),
		cmocka_unit_test(while_there_is_room_a_slow_client_is_waited_for),
	};

	return cmocka_run_group_tests(tests, start, stop_serving);
}

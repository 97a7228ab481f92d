/* common/http/ws on the wire: a real server, sockets that behave and sockets that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/http/http_server.h"
#include "common/http/ws.h"
#include "test/unit/raw_ws.h"
#include "test/unit/server_kit.h"

#include <pthread.h>

enum { MAX_MESSAGE = 1000, MAX_QUEUE = 64 * 1024, PING_MS = 200, THREADS = 4 };

#define ECHO "GET /echo" UPGRADE

static atomic_int opened, closed;

/* ---- the routes ---- */

struct peer {
	struct ws *ws;
	int floods;
};

static void
on_open(void *arg, struct ws *ws)
{
	struct peer *p = arg;

	p->ws = ws;
	(void)atomic_fetch_add(&opened, 1);
}

static void
flood(struct peer *p)
{
	char big[4000];
	struct wire_bytes *b;

	memset(big, 'f', sizeof big);
	b = ws_text((struct str){ big, sizeof big });
	for (int i = 0; i < 1000; i++)
		ws_send(p->ws, b);
	wire_bytes_unref(b);
}

static void
on_text(void *arg, struct str message)
{
	struct peer *p = arg;
	struct wire_bytes *b;

	if (str_eq(message, STR("flood"))) {
		flood(p);
	} else if (str_eq(message, STR("bye"))) {
		ws_close(p->ws, 4401, STR("go away"), false);
	} else {
		b = ws_text(message);
		ws_send(p->ws, b);
		wire_bytes_unref(b);
	}
}

static void
on_full(void *arg)
{
	struct peer *p = arg;

	ws_close(p->ws, 4408, STR("too slow"), true);
}

static void
on_drained(void *arg)
{
	(void)arg;
}

static int64_t
never_due(void *arg, int64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	return WIRE_NEVER;
}

static void
on_closed(void *arg)
{
	(void)atomic_fetch_add(&closed, 1);
	free(arg);
}

static enum err_code
echo_socket(struct http_req *req, struct http_res *res, struct err *e)
{
	static const struct ws_calls calls = { on_open, on_text, on_full, on_drained, never_due,
		on_closed };
	struct ws_opts o = {
		.calls = &calls,
		.arg = calloc(1, sizeof(struct peer)),
		.max_message = MAX_MESSAGE,
		.max_queue = MAX_QUEUE,
		.ping_ms = str_eq(req->path, STR("/impatient")) ? PING_MS : 60000,
		.due_ms = WIRE_NEVER,
	};
	enum err_code rc = ws_accept(req, res, &o, e);

	if (rc != ERR_OK)
		free(o.arg);
	return rc;
}

static const struct http_route routes[] = {
	{ "GET", "/hello", HTTP_AUTH_NONE, 0, hello },
	{ "GET", "/echo", HTTP_AUTH_NONE, 0, echo_socket },
	{ "GET", "/impatient", HTTP_AUTH_NONE, 0, echo_socket },
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

/* ---- a client ---- */

static int
open_socket(const char *request)
{
	int fd = raw_open(port);

	assert_true(raw_send(fd, str_of(request)));
	assert_memory_equal(receive_head(fd).p, "HTTP/1.1 101 ", 13);
	return fd;
}

static void
assert_echo(int fd, struct str text)
{
	struct str r;

	send_frame(fd, 0x81, text);
	r = receive(fd, 2 + text.n);
	assert_int_equal(r.n, 2 + text.n);
	assert_int_equal((unsigned char)r.p[0], 0x81);
	assert_memory_equal(r.p + 2, text.p, text.n);
}

/* The next frame is a close with this code, and then the server closes. */
static void
assert_close(int fd, int code)
{
	struct str r = receive(fd, 200);

	assert_true(r.n >= 4);
	assert_int_equal((unsigned char)r.p[0], 0x88);
	assert_int_equal((unsigned char)r.p[2] << 8 | (unsigned char)r.p[3], code);
	(void)close(fd);
}

static void
wait_for(atomic_int *counter, int value)
{
	for (int i = 0; i < 2000 && atomic_load(counter) != value; i++)
		clock_sleep_ms(10);
	assert_int_equal(atomic_load(counter), value);
}

/* ---- tests ---- */

static void
a_handshake_is_answered_as_the_rfc_says(void **state)
{
	int fd = raw_open(port);
	struct str head;

	(void)state;
	assert_true(raw_send(fd, STR(ECHO)));
	head = receive_head(fd);
	assert_memory_equal(head.p, "HTTP/1.1 101 Switching Protocols\r\n", 34);
	assert_non_null(strstr(head.p, "\r\nUpgrade: websocket\r\n"));
	assert_non_null(strstr(head.p, "\r\nConnection: Upgrade\r\n"));
	/* The RFC's own example. */
	assert_non_null(
	    strstr(head.p, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_null(strstr(head.p, "\r\nContent-"));
	assert_null(strstr(head.p, "close"));
	assert_echo(fd, STR("hello"));
	(void)close(fd);
}

static void
what_is_no_handshake_is_told_so(void **state)
{
	static const char bad_key[] = "GET /echo HTTP/1.1\r\nUpgrade: websocket\r\n"
				      "Connection: Upgrade\r\nSec-WebSocket-Key: short\r\n"
				      "Sec-WebSocket-Version: 13\r\n\r\n";
	static const char old[] =
	    "GET /echo HTTP/1.1\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 8\r\n\r\n";
	struct raw_reply r = raw_ask(port, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");

	(void)state;
	assert_int_equal(r.status, 426);
	assert_non_null(strstr(r.text, "\r\nSec-WebSocket-Version: 13\r\n"));
	assert_int_equal(raw_ask(port, bad_key).status, 400);
	r = raw_ask(port, old);
	assert_int_equal(r.status, 426);
	assert_non_null(strstr(r.text, "\r\nSec-WebSocket-Version: 13\r\n"));
}

static void
an_upgrade_of_another_route_is_an_ordinary_request(void **state)
{
	struct raw_reply r = raw_ask(port, "GET /hello" UPGRADE);

	(void)state;
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.text, "{\"hello\":true}"));
	assert_int_equal(raw_ask(port, "GET /nowhere" UPGRADE).status, 404);
}

static void
many_more_sockets_than_threads_are_served(void **state)
{
	int fds[200];

	(void)state;
	for (int i = 0; i < 200; i++)
		fds[i] = open_socket(ECHO);
	assert_int_equal(raw_ask(port, "GET /hello HTTP/1.1\r\n\r\n").status, 200);
	for (int i = 0; i < 200; i++)
		assert_echo(fds[i], STR("still here"));
	for (int i = 0; i < 200; i++)
		(void)close(fds[i]);
	wait_for(&closed, atomic_load(&opened));
}

static void
a_ping_is_answered(void **state)
{
	int fd = open_socket(ECHO);
	struct str r;

	(void)state;
	send_frame(fd, 0x89, STR("abc"));
	r = receive(fd, 5);
	assert_memory_equal(r.p,
	    "\x8a\x03"
	    "abc",
	    5);
	(void)close(fd);
}

static void
a_close_is_answered_with_its_code(void **state)
{
	int fd = open_socket(ECHO);

	(void)state;
	send_frame(fd, 0x88, STR("\x03\xe9"));
	assert_close(fd, 1001);
	fd = open_socket(ECHO);
	send_frame(fd, 0x88, STR(""));
	assert_close(fd, 1000);
	fd = open_socket(ECHO);
	send_frame(fd, 0x81, STR("bye"));
	assert_close(fd, 4401);
}

static void
misuse_is_closed_with_its_code_and_harms_nobody(void **state)
{
	static const struct {
		struct str bytes;
		int code;
	} bad[] = {
		{ { "\x81\x02hi", 4 }, 1002 },                            /* not masked */
		{ { "\xc1\x80mask", 6 }, 1002 },                          /* a reserved bit */
		{ { "\x83\x80mask", 6 }, 1002 },                          /* an unknown kind */
		{ { "\x80\x80mask", 6 }, 1002 },                          /* goes on with nothing */
		{ { "\x09\x80mask", 6 }, 1002 },                          /* a ping in fragments */
		{ { "\x82\x81maskx", 7 }, 1003 },                         /* binary */
		{ { "\x81\x81\0\0\0\0\xff", 7 }, 1007 },                  /* not UTF-8 */
		{ { "\x81\xff\0\0\0\0\x7f\xff\xff\xffmask", 14 }, 1009 }, /* 2 GB to come */
	};
	int bystander = open_socket(ECHO);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fd = open_socket(ECHO);

		assert_true(raw_send(fd, bad[i].bytes));
		assert_close(fd, bad[i].code);
	}
	assert_echo(bystander, STR("unharmed"));
	(void)close(bystander);
}

static void
a_socket_that_does_not_read_is_closed_and_others_are_served(void **state)
{
	int slow = open_socket(ECHO), other = open_socket(ECHO);
	int before = atomic_load(&closed);

	(void)state;
	send_frame(slow, 0x81, STR("flood"));
	assert_echo(other, STR("at once"));
	wait_for(&closed, before + 1);
	(void)close(slow);
	(void)close(other);
}

/* Whatever was sent before it, the close comes at the boundary of a frame. */
static void
a_slow_socket_that_reads_in_the_end_is_told_why(void **state)
{
	int fd = open_socket(ECHO);
	struct str all;

	(void)state;
	send_frame(fd, 0x81, STR("flood"));
	clock_sleep_ms(300);
	for (;;) {
		all = receive(fd, 4);
		assert_int_equal(all.n, 4);
		if ((unsigned char)all.p[0] == 0x88)
			break;
		assert_memory_equal(all.p, "\x81\x7e\x0f\xa0", 4);
		assert_int_equal(receive(fd, 4000).n, 4000);
	}
	assert_int_equal((unsigned char)all.p[2] << 8 | (unsigned char)all.p[3], 4408);
	(void)close(fd);
}

static void
a_peer_that_answers_no_pings_is_closed(void **state)
{
	int fd = open_socket("GET /impatient" UPGRADE);
	int64_t begun_ms = clock_mono_ms();
	struct str r;

	(void)state;
	r = receive(fd, 4);
	assert_memory_equal(r.p, "\x89\x00\x89\x00", 4);
	assert_close(fd, 1002);
	assert_in_range(clock_mono_ms() - begun_ms, 2 * PING_MS, 20 * PING_MS);
}

static void
a_peer_that_answers_pings_stays(void **state)
{
	int fd = open_socket("GET /impatient" UPGRADE);

	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_memory_equal(receive(fd, 2).p, "\x89\x00", 2);
		send_frame(fd, 0x8a, STR(""));
	}
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_is_answered_as_the_rfc_says),
		cmocka_unit_test(what_is_no_handshake_is_told_so),
		cmocka_unit_test(an_upgrade_of_another_route_is_an_ordinary_request),
		cmocka_unit_test(many_more_sockets_than_threads_are_served),
		cmocka_unit_test(a_ping_is_answered),
		cmocka_unit_test(a_close_is_answered_with_its_code),
		cmocka_unit_test(misuse_is_closed_with_its_code_and_harms_nobody),
		cmocka_unit_test(a_socket_that_does_not_read_is_closed_and_others_are_served),
		cmocka_unit_test(a_slow_socket_that_reads_in_the_end_is_told_why),
		cmocka_unit_test(a_peer_that_answers_no_pings_is_closed),
		cmocka_unit_test(a_peer_that_answers_pings_stays),
	};

	log_init(&(struct log_opts){ .daemon = "t_ws", .level = LOG_ERROR });
	return cmocka_run_group_tests(tests, start, stop_serving);
}

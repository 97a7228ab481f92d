#include "common/http/http_server.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/http/http_deadline.h"
#include "common/http/http_dispatch.h"
#include "common/http/http_listener.h"
#include "common/http/http_nudge.h"
#include "common/http/http_room.h"
#include "common/http/http_stack.h"
#include "common/http/wire.h"

#include <civetweb.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
	WORKER_THREAD = 1,     /* civetweb's number for the threads that serve connections */
	LOOK_MS = 20,          /* how often a draining server looks whether it is done */
	MAX_SPARE_THREADS = 8, /* and one for each four serving ones */
	/* How long a connection may be idle between two requests. */
	KEEP_ALIVE_MS = 5000,
	/* Request line and headers; longer ones are refused. */
	MAX_HEADER_BYTES = 16 * 1024,
};

struct http_server {
	struct http_server_opts o;
	struct mg_context *mg;
	struct http_room room;
	struct http_watch *watch;
	struct wires *wires; /* connections that were taken over; may be NULL */
};

/* civetweb's callbacks. */

static void *
on_thread_start(const struct mg_context *mg, int type)
{
	const struct http_server *s = mg_get_user_data(mg);

	return type == WORKER_THREAD ? http_deadline_new(s->watch) : NULL;
}

static void
on_thread_exit(const struct mg_context *mg, int type, void *deadline)
{
	(void)mg;
	if (type == WORKER_THREAD)
		http_deadline_free(deadline);
}

static int
on_connection(const struct mg_connection *mg, void **conn_data)
{
	struct http_server *s = mg_get_user_context_data(mg);

	(void)conn_data;
	http_room_count(&s->room, 1);
	http_deadline_start(mg_get_thread_pointer(mg), s->o.request_ms);
	return 0;
}

/* A connection without a request never came to http_conn_open(). */
static void
on_close(const struct mg_connection *mg)
{
	struct http_server *s = mg_get_user_context_data(mg);

	http_room_count(&s->room, -1);
	http_deadline_pause(mg_get_thread_pointer(mg));
}

/* Never returns 0, which would make civetweb look for a file. */
static int
on_request(struct mg_connection *mg, void *server)
{
	struct http_server *s = server;
	struct http_conn c;
	enum http_admission a;
	int status;

	http_conn_open(&c, mg, s->o.request_ms);
	http_conn_take_request(&c);
	a = http_room_enter(&s->room);
	c.server = &s->o;
	c.wires = s->wires;
	c.reusable = s->o.reuse && http_room_has_spare(&s->room);
	status = http_dispatch(&s->o, a, &c);
	http_room_leave(&s->room, a);
	if (c.kept)
		http_conn_expect_next(&c, KEEP_ALIVE_MS + s->o.request_ms);
	else
		http_conn_close_after(&c);
	if (c.body_unread && a == HTTP_ADMITTED)
		http_conn_linger(&c);
	return status;
}

/* Before civetweb would shake hands: we do that ourselves, and take the connection away from it. To
 * any other route an upgrade is only an offer. Not 0: it goes no further. */
static int
on_upgrade(const struct mg_connection *mg, void *server)
{
	(void)on_request((struct mg_connection *)mg, server);
	return 1;
}

/* Without one civetweb would look for a password file, "/.htpasswd", at each request. */
static int
on_authorization(struct mg_connection *mg, void *server)
{
	(void)mg;
	(void)server;
	return 1;
}

/* The only handlers, for any path: civetweb's own matching ignores case and what follows. They are
 * in place before the first connection is accepted. */
static void
on_context(const struct mg_context *mg)
{
	struct mg_context *ctx = (struct mg_context *)mg;

	mg_set_request_handler(ctx, "**", on_request, mg_get_user_data(mg));
	mg_set_websocket_handler(ctx, "**", on_upgrade, NULL, NULL, NULL, mg_get_user_data(mg));
	mg_set_auth_handler(ctx, "**", on_authorization, NULL);
}

/* civetweb gave up on a request before any handler saw it. Returns 0: answered here. */
static int
on_unparsed(struct mg_connection *mg, int status, const char *text)
{
	const struct http_server *s = mg_get_user_context_data(mg);
	struct http_conn c;
	struct err e;

	(void)text;
	http_conn_open(&c, mg, s->o.request_ms);
	if (status == 404)
		(void)err_set(&e, ERR_NOT_FOUND, "there is nothing under this path");
	else if (status == 426)
		(void)err_set(&e, ERR_UPGRADE_REQUIRED, "WebSockets of version 13 are served");
	else if (status == 413)
		(void)err_set(&e, ERR_HEADERS_TOO_LARGE, "the header is longer than %d bytes",
		    MAX_HEADER_BYTES);
	else if (http_conn_was_hurried(&c))
		(void)err_set(&e, ERR_UNAVAILABLE, "busy, and the header came slowly");
	else if (http_conn_is_late(&c))
		(void)err_set(&e, ERR_REQUEST_TIMEOUT, "the header was not complete in time");
	else
		(void)err_set(&e, ERR_INVALID, "this is no HTTP/1.1 request that we understand");
	(void)http_dispatch_unparsed(&s->o, &c, &e);
	http_conn_close_after(&c);
	return 0;
}

static int
on_log(const struct mg_connection *mg, const char *message)
{
	(void)mg;
	log_warn("http.library", "%s", message);
	return 1;
}

/* Starting. */

/* Each connection is a file; civetweb spins while it cannot accept one. */
static void
raise_file_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < lim.rlim_max) {
		lim.rlim_cur = lim.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
	}
}

/* Those that serve, and those that say 503 and answer probes while the others are busy. */
static int
all_threads(const struct http_server_opts *o)
{
	int few = o->threads < MAX_SPARE_THREADS ? o->threads : MAX_SPARE_THREADS;

	return o->threads + few + o->threads / 4;
}

static struct http_server *
server_new(const struct http_server_opts *o)
{
	struct http_server *s = calloc(1, sizeof *s);

	if (s == NULL)
		abort();
	s->o = *o;
	http_room_init(&s->room, o->threads, all_threads(o), o->wait_ms);
	return s;
}

static void
server_free(struct http_server *s)
{
	wires_stop(s->wires);
	http_watch_stop(s->watch);
	http_room_release(&s->room);
	free(s);
}

static struct mg_context *
start_civetweb(struct http_server *s, struct mg_error_data *why)
{
	const struct mg_callbacks callbacks = {
		.init_context = on_context,
		.init_thread = on_thread_start,
		.exit_thread = on_thread_exit,
		.init_connection = on_connection,
		.connection_close = on_close,
		.http_error = on_unparsed,
		.log_message = on_log,
	};
	char ports[64], threads[16], timeout_ms[24], header_bytes[16], keep_alive_ms[16];
	const char *options[] = {
		"listening_ports",
		ports,
		"num_threads",
		threads,
		"connection_queue",
		"256",
		"listen_backlog",
		"1024",
		"request_timeout_ms",
		timeout_ms,
		"max_request_size",
		header_bytes,
		/* A reused connection could carry a second request in the first one's body:
		 * see may_keep() in http_dispatch.c for when it lives on all the same. */
		"enable_keep_alive",
		s->o.reuse ? "yes" : "no",
		"keep_alive_timeout_ms",
		keep_alive_ms,
		"tcp_nodelay",
		"1",
		"decode_url",
		"no",
		/* Else civetweb would answer CORS pre-flights itself. */
		"access_control_allow_methods",
		"",
		NULL,
	};
	struct mg_init_data init = { &callbacks, s, options };

	(void)snprintf(ports, sizeof ports, "%s:%d", s->o.address, s->o.port);
	(void)snprintf(threads, sizeof threads, "%d", s->room.workers);
	(void)snprintf(keep_alive_ms, sizeof keep_alive_ms, "%d", KEEP_ALIVE_MS);
	(void)snprintf(timeout_ms, sizeof timeout_ms, "%" PRId64, s->o.request_ms);
	(void)snprintf(header_bytes, sizeof header_bytes, "%d", MAX_HEADER_BYTES);
	return mg_start2(&init, why);
}

/* civetweb takes a read that a signal interrupts for a lost connection: its threads get none but
 * the one that they ask for themselves (http_deadline.c), and those of a fault of their own, which
 * would otherwise end the process before a sanitizer could say why. */
static struct mg_context *
start_without_signals(struct http_server *s, struct mg_error_data *why)
{
	struct mg_context *mg;
	sigset_t all, before;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	mg = start_civetweb(s, why);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return mg;
}

static enum err_code
start_threads(struct http_server *s, struct err *e)
{
	enum err_code rc = http_watch_start(&s->watch, e);

	if (rc == ERR_OK && s->o.socket_threads > 0)
		rc = wires_start(s->o.socket_threads, &s->wires, e);
	return rc;
}

enum err_code
http_server_start(const struct http_server_opts *o, struct http_server **out, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char text[160] = "";
	unsigned code = 0;
	struct mg_error_data why = { &code, text, sizeof text };
	struct http_server *s;

	if (!http_stack_is_raised())
		return err_set(
		    e, ERR_INTERNAL, "the threads' stacks would be too small: link with -rdynamic");
	(void)pthread_once(&once, raise_file_limit);
	(void)mg_init_library(0); /* without TLS, which crashes in the packaged build */
	s = server_new(o);
	if (start_threads(s, e) != ERR_OK) {
		server_free(s);
		(void)mg_exit_library();
		return e->code;
	}
	s->room.watch = s->watch;
	s->mg = start_without_signals(s, &why);
	if (s->mg == NULL) {
		server_free(s);
		(void)mg_exit_library();
		return err_set(
		    e, ERR_UNAVAILABLE, "cannot listen on %s:%d: %s", o->address, o->port, text);
	}
	http_listener_defer(http_server_port(s));
	*out = s;
	return ERR_OK;
}

int
http_server_port(const struct http_server *s)
{
	struct mg_server_port port;

	return mg_get_server_ports(s->mg, 1, &port) == 1 ? port.port : 0;
}

/* Stopping. */

void
http_server_end_reuse(struct http_server *s)
{
	http_room_end_reuse(&s->room);
}

void
http_server_drain(struct http_server *s, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;

	http_room_drain(&s->room, until_ms);
	while (s->wires != NULL && wires_count(s->wires) > 0 && clock_mono_ms() < until_ms)
		clock_sleep_ms(LOOK_MS);
}

static void
stop_quickly(struct http_server *s)
{
	struct http_nudge nudge;

	http_nudge_start(&nudge, s->o.address, http_server_port(s));
	mg_stop(s->mg);
	http_nudge_end(&nudge);
}

void
http_server_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	stop_quickly(s);
	(void)mg_exit_library();
	server_free(s);
}

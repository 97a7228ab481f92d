/*
 * server_kit - the one HTTP server of a test program, on a loopback port.
 *
 * Use:      serve(&(struct http_server_opts){ … }) in the group's setup, stop_serving as its teardown.
 * Owns:     the server.
 * Threads:  one.
 * Errors:   serve() returns -1, as cmocka wants it.
 * Not for:  several servers.
 */
#ifndef CTI_TEST_SERVER_KIT_H
#define CTI_TEST_SERVER_KIT_H

#include "common/base/buf.h"
#include "common/http/http_server.h"

enum { SERVE_REQUEST_MS = 5000, SERVE_DRAIN_MS = 5000 };

static struct http_server *server;
static int port;

static inline int
serve(const struct http_server_opts *wanted)
{
	struct http_server_opts o = *wanted;
	struct err e;

	o.address = "127.0.0.1";
	if (o.request_ms == 0)
		o.request_ms = SERVE_REQUEST_MS;
	if (http_server_start(&o, &server, &e) != ERR_OK)
		return -1;
	port = http_server_port(server);
	return 0;
}

static inline int
stop_serving(void **state)
{
	(void)state;
	http_server_drain(server, SERVE_DRAIN_MS);
	http_server_stop(server);
	return 0;
}

/* A route that needs nothing. */
static inline enum err_code
hello(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	buf_add_c(&res->body, "{\"hello\":true}");
	return ERR_OK;
}

#endif

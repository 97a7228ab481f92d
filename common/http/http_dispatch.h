/*
 * http_dispatch - one request from its first header to the last byte of its answer.
 *
 * Use:      private to common/http: http_dispatch() per request that civetweb could parse,
 *           http_dispatch_unparsed() for the others.
 * Owns:     the request, its arena and its answer, for the length of the call.
 * Threads:  as many at once as there are connections; the options are shared, read-only.
 * Errors:   all are answered here, and logged here once.
 * Not for:  connections and threads (http_server.c).
 */
#ifndef CTI_HTTP_DISPATCH_H
#define CTI_HTTP_DISPATCH_H

#include "common/http/http_conn.h"
#include "common/http/http_server.h"

enum http_admission {
	HTTP_ADMITTED,
	HTTP_BUSY,     /* every thread that serves requests has one */
	HTTP_DRAINING, /* the server is about to stop */
};

/* Both return the status that was answered. */
int http_dispatch(
    const struct http_server_opts *o, enum http_admission admission, struct http_conn *c);
int http_dispatch_unparsed(
    const struct http_server_opts *o, struct http_conn *c, const struct err *why);

#endif

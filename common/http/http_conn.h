/*
 * http_conn - one connection: the request as it was read, and the bytes either way.
 *
 * Use:      private to common/http; civetweb's side of it is in http_conn.c and http_server.c only.
 * Owns:     nothing; everything it points to is civetweb's and lives as long as the request.
 * Threads:  the connection's own thread.
 * Errors:   reads and writes tell how far they came.
 * Not for:  handlers (http.h).
 */
#ifndef CTI_HTTP_CONN_H
#define CTI_HTTP_CONN_H

#include "common/http/http.h"

/* civetweb keeps so many header lines and silently drops the rest: a request that has this many
 * may have had more, and is refused. */
enum { HTTP_MAX_HEADERS = 64 };

struct mg_connection;
struct http_deadline;
struct http_server_opts;
struct wires;

struct http_conn {
	struct mg_connection *mg;
	struct http_deadline *deadline; /* of the whole request */
	struct str method, path, query; /* raw; "-" and no query until the request is taken */
	struct str remote_addr;
	int64_t
	    begun_ms; /* monotonic: before its first byte, or when the headers had come at once */
	const struct http_server_opts *server;
	struct wires *wires; /* where connections live on without a thread; NULL: they do not */
	struct http_query_item headers[HTTP_MAX_HEADERS];
	int nheaders;
	bool headers_cut; /* there may be further lines, which nobody has read */
	bool body_unread; /* the peer is sending, or about to send, what nobody has read */
	bool length_read; /* a body whose length was given has been read to its end */
	bool reusable;    /* the server could let the connection live on after this request */
	bool kept;        /* and the answer said so */
};

/* The headers have come. Pauses the deadline until http_conn_read() needs it: request_ms after the
 * request began. */
void http_conn_open(struct http_conn *c, struct mg_connection *mg, int64_t request_ms);

/* Only when civetweb could parse the request: else its record still has pointers to texts of an
 * earlier one, which the next one has overwritten. */
void http_conn_take_request(struct http_conn *c);

/* Unless this is called, a connection of a server with reuse lives on. */
void http_conn_close_after(struct http_conn *c);
/* The next request on this connection has so long, the wait for it included. */
void http_conn_expect_next(struct http_conn *c, int64_t within_ms);

/* Up to n bytes of the body; fewer only at its end, on a lost connection or after the deadline,
 * and negative on a broken one. */
int http_conn_read(struct http_conn *c, void *p, size_t n);
bool http_conn_is_late(const struct http_conn *c);     /* the deadline has passed */
bool http_conn_was_hurried(const struct http_conn *c); /* and it was brought forward */

/* How many of the bytes went out. */
size_t http_conn_write(struct http_conn *c, struct str bytes);

/* Read a bounded part of what the peer still sends after it has been answered: a socket closed
 * with unread bytes resets the connection, and the answer would be lost with it. */
void http_conn_linger(struct http_conn *c);

#endif

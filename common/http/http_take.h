/*
 * http_take - take a connection away from civetweb, so that it lives on without a thread of its own.
 *
 * Use:      private to common/http, in the handler's thread, once nothing more is written through it.
 * Owns:     the caller owns the socket that it gets; civetweb closes a stand-in.
 * Threads:  the connection's own thread.
 * Errors:   -1: not found, or no file descriptor left.
 * Not for:  connections with a body that nobody has read.
 *
 * civetweb keeps a thread for each WebSocket, does not say whether a frame was masked, sets no limit
 * to its length, and tells nobody the socket. But a socket can be told by its two ends: one has this
 * peer and this port of ours, and stays open while we are in its handler. Its number then goes to a
 * stand-in, in one step, for civetweb to shut down and close. See docs/adr/0007-sockets-taken-over.md.
 */
#ifndef CTI_HTTP_TAKE_H
#define CTI_HTTP_TAKE_H

#include "common/http/http_conn.h"

/* Non-blocking, closed on exec. */
int http_take(struct http_conn *c);

#endif

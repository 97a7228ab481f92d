/*
 * http_body - the whole body of a request, or an error.
 *
 * Use:      private to common/http, once per request, after authentication.
 * Owns:     nothing; fills the caller's buf, whose maximum is the limit.
 * Threads:  the connection's own thread.
 * Errors:   TOO_LARGE: beyond the limit. REQUEST_TIMEOUT: not complete before the deadline.
 *           UNAVAILABLE: too slow for a busy server, which was to be told with a 503.
 *           INVALID: cut short, or its length is told in a way that two readers could
 *           understand differently.
 * Not for:  streaming.
 */
#ifndef CTI_HTTP_BODY_H
#define CTI_HTTP_BODY_H

#include "common/http/http_conn.h"

CTI_MUST_CHECK enum err_code http_body_read(struct http_conn *c, struct buf *body, struct err *e);

#endif

/*
 * http_uri - the text of a request target: percent-encoding and the query.
 *
 * Use:      private to common/http, after the request line was read.
 * Owns:     nothing; decoded text is the raw text itself or lives in the arena.
 * Threads:  no shared state.
 * Errors:   a bad escape, or an encoded NUL (no C string and no database text can hold one).
 * Not for:  writing URLs.
 */
#ifndef CTI_HTTP_URI_H
#define CTI_HTTP_URI_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/http/http.h"

/* One round of percent-decoding; with `form`, '+' is a space. False on a bad escape or a NUL. */
bool http_uri_decode(struct arena *a, struct str raw, bool form, struct str *out);

/* Fill req->query from "a=1&b=2". INVALID: too many items, or one that does not decode. */
CTI_MUST_CHECK enum err_code http_uri_query(struct http_req *req, struct str raw, struct err *e);

#endif

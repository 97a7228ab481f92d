/*
 * http_answer - an answer as the bytes that go out: status line, headers, body.
 *
 * Use:      private to common/http, once per request.
 * Owns:     nothing; writes into the caller's buf.
 * Threads:  no shared state.
 * Errors:   sticky in the buf.
 * Not for:  deciding what to answer.
 */
#ifndef CTI_HTTP_ANSWER_H
#define CTI_HTTP_ANSWER_H

#include "common/http/http.h"

struct http_answer_opts {
	bool without_body; /* HEAD: the length of the body is told, the body is not sent */
	bool keep;         /* the connection lives on */
	const char *hsts;  /* value of Strict-Transport-Security, or NULL */
	const char *request_id;
};

/* Has the handler added this header itself? */
bool http_answer_has(const struct http_res *res, const char *name);

void http_answer_build(
    const struct http_res *res, const struct http_answer_opts *o, struct buf *out);

#endif

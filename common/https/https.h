/*
 * https - requests that we send: one URL, one answer, within a stated time and size.
 *
 * Use:      https_new() in main, before other threads; https_send() per request; https_abort() when
 *           the daemon stops, https_free() at last.
 * Owns:     its connections, which are reused. The caller owns the answer: https_answer_release().
 * Threads:  safe; each request runs on its caller's thread.
 * Errors:   INVALID: the URL is not allowed; https_new: `ca_file` cannot be read. UNAVAILABLE: it was surely not sent. UNCERTAIN: it may
 *           have been sent, and no whole answer came. TOO_LARGE: an answer over the limit. Any status
 *           is an answer and no error. Messages name method and host, and nothing else of the request.
 * Not for:  following redirects, proxies, large bodies.
 *
 * Only https, with the certificate checked; plain http where `allow_loopback` says so, to this machine.
 */
#ifndef CTI_HTTPS_H
#define CTI_HTTPS_H

#include "common/base/buf.h"
#include "common/base/err.h"

struct https;

struct https_opts {
	const char *user_agent;
	const char *ca_file; /* certificate authorities; "" for those of the system */
	bool allow_loopback; /* http://127.0.0.1, [::1] and localhost are allowed, too: for tests */
};

struct https_header {
	const char *name;
	struct str value;
};

enum { HTTPS_MAX_HEADERS = 8 };

struct https_req {
	const char *method; /* "GET" */
	const char *url;
	struct str bearer; /* sent as Authorization; STR_NONE: none */
	struct https_header headers[HTTPS_MAX_HEADERS];
	int nheaders;
	struct str body;         /* STR_NONE: none */
	const char *body_type;   /* of the body */
	int64_t timeout_ms;      /* for all of it, from the name to the last byte */
	size_t max_answer_bytes; /* of the body */
	bool unabortable;        /* once begun it runs to its end: its answer must not be lost */
};

struct https_answer {
	int status;
	int64_t retry_after_ms; /* 0: not told */
	struct buf body;
};

CTI_MUST_CHECK enum err_code https_new(
    const struct https_opts *o, struct https **out, struct err *e);
void https_free(struct https *h); /* when no request is under way; NULL is allowed */

/* Is this a URL that https_send() would take? */
CTI_MUST_CHECK enum err_code https_check_url(const struct https *h, const char *url, struct err *e);

CTI_MUST_CHECK enum err_code https_send(
    struct https *h, const struct https_req *r, struct https_answer *out, struct err *e);
void https_answer_release(struct https_answer *a); /* overwrites the body */

/* Ends the requests under way within about a second, and every later one at once. */
void https_abort(struct https *h);

#endif

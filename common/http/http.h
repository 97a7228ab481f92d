/*
 * http - what a handler sees of a request and of its answer. No civetweb here.
 *
 * Use:      a daemon has one `static const struct http_route` table and handlers of type
 *           http_handler. A handler fills `res` and returns ERR_OK, or returns an error: the
 *           dispatcher then answers problem+json and writes the one log line.
 * Owns:     request and answer live until the handler has returned; everything lent lives as long.
 * Threads:  handlers run on many threads at once; `self` must be safe for that.
 * Errors:   err_http_status() of the class; e->msg becomes `detail` for 4xx, and stays in the log
 *           (never on the wire) for 5xx.
 * Not for:  WebSockets (ws.h) and answers that come later (http_late.h), which a handler begins.
 */
#ifndef CTI_HTTP_H
#define CTI_HTTP_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

enum { HTTP_MAX_SEGMENTS = 4, HTTP_MAX_QUERY = 32, HTTP_REQUEST_ID_BYTES = 65 };

/* Who may call. Checked before the body is read. A visitor is anybody, counted by address: see
 * RATE_LIMIT_AUTH_PER_MIN. */
enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_VISITOR, HTTP_AUTH_APP, HTTP_AUTH_ADMIN };

struct http_query_item {
	struct str name, value; /* percent-decoded */
};

struct http_req {
	void *self; /* http_server_opts.self */
	const struct http_route *route;
	struct str method;
	struct str path;                        /* raw, as sent, without the query */
	struct str raw_query;                   /* as sent, without the "?" */
	struct str segments[HTTP_MAX_SEGMENTS]; /* what {…} matched, percent-decoded */
	int nsegments;
	struct http_query_item query[HTTP_MAX_QUERY];
	int nquery;
	struct str body; /* complete, or empty */
	char request_id[HTTP_REQUEST_ID_BYTES];
	struct str remote_addr;
	int64_t begun_ms; /* monotonic: before it waited for its turn; see http_deadline_begin() */
	struct uuid app_id; /* set by the auth hook for HTTP_AUTH_APP */
	const char *actor;  /* and this for HTTP_AUTH_ADMIN: who it is, for the audit */
	struct arena arena; /* reset when the request ends */
	void *priv;         /* struct http_conn; NULL in tests */
};

/* What becomes of the connection once the handler has returned ERR_OK. */
struct http_handover {
	void (*take_over)(void *arg, int fd); /* owns fd, which is -1 when the peer was lost */
	void *arg;
	bool unanswered; /* nothing has been sent: the answer is `arg`'s to give */
};

struct http_res {
	int status;               /* 200 unless set */
	const char *content_type; /* static; "application/json" unless set */
	struct buf body;
	struct buf headers; /* further header lines, each ending in CRLF; see http_header_add */
	struct http_handover handover; /* set by ws_accept() and http_late_leave() */
};

typedef enum err_code (*http_handler)(struct http_req *req, struct http_res *res, struct err *e);

struct http_route {
	const char *method; /* "GET", which serves HEAD too; "*" is any method */
	/* "{name}" = exactly one non-empty segment; a last "**" = any rest, or none. A row with
	 * "**" does not turn another method's 404 into 405. */
	const char *path;
	enum http_auth auth;
	size_t max_body; /* bytes; 0: a body is refused with 413 */
	http_handler fn;
};

/* Header of the request, outer blanks trimmed; STR_NONE when absent. The name in any case. */
struct str http_header(const struct http_req *req, const char *name);
/* The nth line of that name, from 0 on; STR_NONE beyond the last. */
struct str http_header_nth(const struct http_req *req, const char *name, int nth);

/* Query parameter; STR_NONE when absent, empty, "undefined" or "null". */
struct str http_query(const struct http_req *req, const char *name);

/* INVALID, naming the parameter and listing the allowed ones, when the query has any other, or
 * one of these twice. `allowed` ends with NULL. */
CTI_MUST_CHECK enum err_code http_query_allow(
    const struct http_req *req, const char *const *allowed, struct err *e);

/* Whole number within [min, max], `dflt` when absent; INVALID naming it otherwise. */
CTI_MUST_CHECK enum err_code http_query_i64(const struct http_req *req, const char *name,
    int64_t min, int64_t max, int64_t dflt, int64_t *out, struct err *e);

/* Value without CR and LF, else the header is left out. */
void http_header_add(struct http_res *res, const char *name, struct str value);

#endif

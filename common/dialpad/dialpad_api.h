/*
 * dialpad_api - one request to Dialpad's API, one answer or one typed failure.
 *
 * Use:      dialpad_api_new() in main; an endpoint is a function of a few lines around dialpad_call()
 *           in a file of its part (dialpad_oauth.c, dialpad_company.c).
 * Owns:     its connections. The caller owns an answer: dialpad_answer_release().
 * Threads:  safe.
 * Errors:   UNAUTHORIZED: the token, or our client, is not accepted (401). FORBIDDEN: the token may not
 *           do this (403). NOT_FOUND (404). CONFLICT (409). RATE_LIMITED: answer->retry_after_ms says
 *           for how long, if Dialpad does (429). INVALID: any other 4xx: the request is at fault.
 *           UNAVAILABLE: it was not sent, or Dialpad answered 5xx. UNCERTAIN: it was sent, and no
 *           answer came. UPSTREAM: an answer that is none: other status, no JSON, too large, or
 *           without what it must have.
 * Not for:  deciding what to do about a failure.
 *
 * Errors and metrics name the call, never its token, ids or content. What Dialpad says about a refused
 * request under /api is quoted, shortened; its answers about tokens, a 401 among them, never are.
 */
#ifndef CTI_DIALPAD_API_H
#define CTI_DIALPAD_API_H

#include "common/base/arena.h"
#include "common/conf/conf.h"
#include "common/json/json_in.h"

struct dialpad_api;

enum { DIALPAD_ERROR_BYTES = 41, DIALPAD_MAX_PATH_BYTES = 4096 };

struct dialpad_call {
	const char *name;    /* "company.get": for metrics and errors; static */
	const char *method;  /* "GET" */
	const char *path;    /* "/api/v2/company"; dialpad_path_add() for a query */
	struct str token;    /* STR_NONE: without */
	struct str body;     /* JSON; STR_NONE: none */
	bool is_secret;      /* what Dialpad says about a failure may hold a token */
	bool unabortable;    /* see https.h */
	int64_t patience_ms; /* for so long it is sent again while Dialpad says "too often" */
};

struct dialpad_answer {
	int status;                      /* 0: none came */
	const struct json *json;         /* of a 2xx with a body, else NULL */
	int64_t retry_after_ms;          /* of 429 and 503; 0: not told */
	char error[DIALPAD_ERROR_BYTES]; /* OAuth's word for it: "invalid_grant"; or "" */
	struct arena owned;              /* private: the json */
};

/* The options of c->dialpad; borrowed. INVALID: its base URL cannot be used. */
CTI_MUST_CHECK enum err_code dialpad_api_new(
    const struct conf *c, struct dialpad_api **out, struct err *e);
void dialpad_api_free(struct dialpad_api *api);  /* when no call is under way; NULL is allowed */
void dialpad_api_abort(struct dialpad_api *api); /* ends calls under way, refuses later ones */

/* The application at Dialpad that we are. */
const struct conf_dialpad *dialpad_client(const struct dialpad_api *api);

/* *out is filled in either case, as far as there is an answer. */
CTI_MUST_CHECK enum err_code dialpad_call(struct dialpad_api *api, const struct dialpad_call *call,
    struct dialpad_answer *out, struct err *e);
void dialpad_answer_release(struct dialpad_answer *a); /* overwrites it */

/* Append a query parameter, percent-encoded; the first one begins the query. */
void dialpad_path_add(struct buf *path, const char *name, struct str value);

/* UPSTREAM: "the answer has no <what>". */
enum err_code dialpad_incomplete(const struct dialpad_call *call, const char *what, struct err *e);

#endif

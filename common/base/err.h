/*
 * err - what went wrong, what an HTTP client is told, and whether repeating can help.
 *
 * Use:      a function that can fail returns enum err_code and takes `struct err *e` last
 *           (never NULL). It fills *e on failure only, and writes its outputs on success only.
 * Owns:     nothing; struct err is a plain value.
 * Threads:  no shared state.
 * Errors:   this is where they come from.
 * Not for:  secrets, payloads or SQL parameters in `msg`: it goes to the log.
 */
#ifndef CTI_ERR_H
#define CTI_ERR_H

#include <stdbool.h>

#define CTI_MUST_CHECK __attribute__((warn_unused_result))
#define CTI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* One row: class, HTTP status, may the caller repeat?, short text for HTTP clients. */
#define ERR_TABLE(X)                                                               \
	X(OK, 200, false, "OK")                                                    \
	X(INVALID, 400, false, "Bad request")                                      \
	X(UNAUTHORIZED, 401, false, "Unauthorized")                                \
	X(FORBIDDEN, 403, false, "Forbidden")                                      \
	X(NOT_FOUND, 404, false, "Not found")                                      \
	X(METHOD_NOT_ALLOWED, 405, false, "Method not allowed")                    \
	X(REQUEST_TIMEOUT, 408, false, "Request timeout")                          \
	X(CONFLICT, 409, false, "Conflict")                                        \
	X(TOO_LARGE, 413, false, "Payload too large")                              \
	X(HEADERS_TOO_LARGE, 431, false, "Request header fields too large")        \
	X(UPGRADE_REQUIRED, 426, false, "Upgrade required")                        \
	X(RATE_LIMITED, 429, true, "Too many requests")                            \
	X(INTERNAL, 500, false, "Internal server error")                           \
	X(UPSTREAM, 502, true, "Bad gateway")                                      \
	X(UNAVAILABLE, 503, true, "Service unavailable")                           \
	X(TIMEOUT, 503, true, "Service unavailable")                               \
	/* The connection was lost after COMMIT was sent: it may have happened. */ \
	X(UNCERTAIN, 503, false, "Service unavailable")

enum err_code {
#define X(name, http, retry, text) ERR_##name,
	ERR_TABLE(X)
#undef X
	    ERR_COUNT_
};

struct err {
	enum err_code code;
	char sqlstate[6]; /* "" unless PostgreSQL named one */
	char msg[300];
};

/* Fill *e, clear its sqlstate, return `code`: err_set(e, ERR_INVALID, "no %s", name). The arguments
 * may refer to e->msg. A macro, so that compiler and analyser see that what comes back is `code`. */
#define err_set(e, code, ...)                      \
	__extension__({                            \
		enum err_code code_ = (code);      \
		err_fill((e), code_, __VA_ARGS__); \
		code_;                             \
	})

/* For err_set. */
void err_fill(struct err *e, enum err_code code, const char *fmt, ...) CTI_PRINTF(3, 4);

const char *err_name(enum err_code code); /* "NOT_FOUND"; static */
const char *err_text(enum err_code code); /* "Not found"; static */
int err_http_status(enum err_code code);  /* 404 */
bool err_may_repeat(enum err_code code);  /* the same call may work later */

#endif

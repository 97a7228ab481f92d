/*
 * limits - the three limits of apid, and how an answer tells of them.
 *
 * Use:      limits_take() once per request of a limited kind; limits_check_failures() before the
 *           database is asked about credentials, limits_note_failure() when they were wrong.
 * Owns:     nothing; the counts are the daemon's limiter.
 * Threads:  safe.
 * Errors:   RATE_LIMITED; the answer then has Retry-After and the RateLimit fields.
 * Not for:  load: too many requests at once are answered 503 (http_server.h).
 */
#ifndef CTI_APID_LIMITS_H
#define CTI_APID_LIMITS_H

#include "apid/edge/client_addr.h"

struct apid;
struct conf;

enum limit_class {
	LIMIT_API,    /* requests of one key */
	LIMIT_AUTH,   /* requests for logins from one address */
	LIMIT_FAILED, /* wrong credentials from one address */
};

/* Count this request of `id`: of LIMIT_API the key's id, of others STR_NONE for the address. */
CTI_MUST_CHECK enum err_code limits_take(struct http_req *req, struct http_res *res,
    enum limit_class class, struct str id, struct err *e);

/* Has this address failed too often to be tried once more? */
CTI_MUST_CHECK enum err_code limits_check_failures(
    struct http_req *req, struct http_res *res, struct err *e);
/* OK, or RATE_LIMITED when that was one too many. */
CTI_MUST_CHECK enum err_code limits_note_failure(
    struct http_req *req, struct http_res *res, struct err *e);

/* The same for one whose credentials come when the request is over; from any thread. */
struct limits_address {
	const struct apid *api;
	struct client_addr addr;
};
struct limits_address limits_address_of(struct http_req *req);
void limits_note_later(const struct limits_address *from);

/* Names the limits that are switched off, for the log at start. */
void limits_describe(const struct conf *c, struct buf *out);

#endif

/*
 * limiter - how often each of many callers may do something in a minute, in bounded memory.
 *
 * Use:      limiter_take() for each request; limiter_look() to ask without counting.
 * Owns:     a table of fixed size, until limiter_free.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  limits over several processes: each counts for itself.
 *
 * A caller's minute begins with his first request. Where the table is full the callers who asked for
 * least are forgotten, and begin a new minute: never those who are to be held back.
 */
#ifndef CTI_APID_LIMITER_H
#define CTI_APID_LIMITER_H

#include "common/base/own.h"
#include "common/base/str.h"

struct limiter;

struct limit_state {
	bool allowed;
	int64_t left;    /* requests in this minute */
	int64_t reset_s; /* until the next one, rounded up */
};

struct limiter *limiter_new(void);
void limiter_free(struct limiter *l); /* NULL is allowed */

/* `id` is any bytes that name the caller; now_ms is monotonic. */
struct limit_state limiter_take(
    struct limiter *l, struct str id, int64_t per_minute, int64_t now_ms);
struct limit_state limiter_look(
    struct limiter *l, struct str id, int64_t per_minute, int64_t now_ms);

OWN_DEFINE(limiter, struct limiter *, NULL, limiter_free)

#endif

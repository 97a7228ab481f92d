/*
 * store - one event into the log and the queue, in one statement, durable when it returns.
 *
 * Use:      store_describe() looks at the claims for the log's columns, store_event() commits.
 * Owns:     nothing.
 * Threads:  safe; connections come from the pool.
 * Errors:   any error means "not known to be stored": answer 503, the sender repeats, and an event
 *           stored twice does no harm.
 */
#ifndef CTI_STORE_H
#define CTI_STORE_H

#include "common/base/arena.h"
#include "common/db/db.h"

struct store_event {
	struct uuid app_id;
	int32_t hook;      /* 0: the bare route */
	struct str claims; /* the exact bytes that were signed */
	/* filled by store_describe */
	bool is_object;        /* else the claims are kept as bytes */
	struct str type;       /* STR_NONE when unknown */
	struct str dialpad_id; /* STR_NONE when there is none */
	int64_t event_at;      /* ms; 0 when unknown */
};

void store_describe(struct store_event *ev, struct arena *a);

CTI_MUST_CHECK enum err_code store_event(
    struct db_pool *pool, const struct store_event *ev, struct err *e);

#endif

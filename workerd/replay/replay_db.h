/*
 * replay_db - the events of a replay that still have to become records: dead ones and waiting ones.
 *
 * Use:      under the tenant's lock: replay_requeue() until it finds less than a chunk, then
 *           replay_hasten(). replay_count() instead of both in a dry run.
 * Owns:     nothing.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 *
 * A dead event leaves the outcomes and enters the queue, as if it had just come; its row in the log
 * is not touched. Only what had died before the replay was asked for, or one that dies again at once
 * would be taken for ever.
 */
#ifndef CTI_REPLAY_DB_H
#define CTI_REPLAY_DB_H

#include "common/db/db.h"

struct replay_choice {
	struct uuid app_id;
	struct str key;             /* the request's, in `jobs` */
	const struct db_array *ids; /* empty: by range and kind alone */
	int64_t from, to;           /* ms; from <= received_at < to */
	struct str kind;            /* as DIALPAD_KIND_SQL says; STR_NONE: any */
};

CTI_MUST_CHECK enum err_code replay_requeue(
    struct db_conn *c, const struct replay_choice *w, int limit, int64_t *events, struct err *e);

/* Those that wait for their next attempt are due now. */
CTI_MUST_CHECK enum err_code replay_hasten(
    struct db_conn *c, const struct replay_choice *w, int64_t *events, struct err *e);

CTI_MUST_CHECK enum err_code replay_count(struct db_conn *c, const struct replay_choice *w,
    int64_t *dead, int64_t *waiting, struct err *e);

#endif

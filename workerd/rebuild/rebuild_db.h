/*
 * rebuild_db - what a rebuild reads: whose events there are, and all events of some records.
 *
 * Use:      rebuild_ids() page by page; rebuild_events() inside the transaction that folds them.
 * Owns:     results belong to the caller.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 *
 * Log and archive count as one. The events of a record are those that were folded into it: neither
 * waiting in the queue, nor set aside for good.
 */
#ifndef CTI_REBUILD_DB_H
#define CTI_REBUILD_DB_H

#include "common/base/arena.h"
#include "common/db/db.h"
#include "workerd/fold/fold.h"
#include "workerd/rebuild/rebuild_args.h"

enum { REBUILD_MAX_IDS = 500 };

CTI_MUST_CHECK enum err_code rebuild_has_tenant(
    struct db_conn *c, struct uuid app_id, bool *has, struct err *e);

/* The next ids after `after` (as text, in the database's order) that have one of the events chosen. */
CTI_MUST_CHECK enum err_code rebuild_ids(struct db_conn *c, const struct rebuild_opts *o,
    struct str after, struct arena *a, struct str ids[REBUILD_MAX_IDS], int *n, struct err *e);

/* Of these ids, as rebuild_ids() gave them, *n becomes how many have events of about o->bytes together;
 * one at least. */
CTI_MUST_CHECK enum err_code rebuild_fit(
    struct db_conn *c, const struct rebuild_opts *o, const struct str *ids, int *n, struct err *e);

struct rebuild_event {
	struct uuid id;
	int64_t received_at; /* ms */
	enum fold_origin origin;
	struct str payload;
};

CTI_MUST_CHECK enum err_code rebuild_events(struct db_conn *c, struct uuid app_id,
    const struct str *ids, int n, struct db_result *r, struct err *e);
void rebuild_event_read(const struct db_result *r, int row, struct rebuild_event *out);

#endif

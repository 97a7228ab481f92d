/*
 * repair_db - calls from Dialpad's list, appended to the log where they are missing.
 *
 * Use:      private to workerd/repair.
 * Owns:     nothing.
 * Threads:  as the connection.
 * Errors:   as db.h.
 * Not for:  writing calls: the events are folded like all others.
 */
#ifndef CTI_REPAIR_DB_H
#define CTI_REPAIR_DB_H

#include "common/db/db.h"

struct repair_call {
	int64_t call_id;
	int64_t event_at; /* ms; 0: not known */
	bool has_recordings;
	struct str payload; /* JSON */
};

/*
 * Appends and queues an event of source "repair" for each call that is not known here, or not known to
 * have ended, or whose recordings are not; and for none that an earlier such event still waits for.
 * *added counts them.
 */
CTI_MUST_CHECK enum err_code repair_db_append(struct db_conn *c, struct uuid app_id,
    const struct repair_call *calls, int n, int64_t *added, struct err *e);

/* How far the repair has come, for a run that goes on where this one is broken off. */
CTI_MUST_CHECK enum err_code repair_db_progress(
    struct db_conn *c, struct uuid app_id, struct str key, struct str params, struct err *e);

#endif

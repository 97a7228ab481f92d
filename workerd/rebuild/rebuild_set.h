/*
 * rebuild_set - a set of records folded again from all their events, and compared.
 *
 * Use:      record_set_load(), rebuild_set_fold(), rebuild_set_compare(), record_set_save().
 * Owns:     as record_set.h; `merged` lives in the arena.
 * Threads:  one.
 * Errors:   none.
 *
 * A record is folded from nothing and keeps its created_at. Where the log no longer has the events
 * that the row began with, that would lose what they told: there, what the log still has is merged
 * into the row instead.
 */
#ifndef CTI_REBUILD_SET_H
#define CTI_REBUILD_SET_H

#include "workerd/batch/record_set.h"
#include "workerd/rebuild/rebuild_report.h"

struct rebuild_set {
	struct record_set *s;
	struct fold_row *before; /* s->before with its clocks */
	bool *merged;            /* of each row */
};

/* `changes` are all that the log has of the set's records; others are passed over. */
void rebuild_set_fold(struct record_set *s, const struct fold_change *changes, int n,
    struct arena *a, struct rebuild_set *out);

/* Of a set that nothing is folded into. */
void rebuild_set_as_is(struct record_set *s, struct arena *a, struct rebuild_set *out);

/* Reports each record, and leaves in the set those that are to be written. When the first and the
 * last event came (created_at, updated_at) is no difference. What is missing and older than
 * records_from (ms) was deleted for its age and stays so, unreported. */
void rebuild_set_compare(
    struct rebuild_set *r, int64_t records_from, struct arena *a, struct rebuild_report *report);

#endif

/*
 * record_set - the records of one kind that a batch touches: loaded, folded, compared, saved.
 *
 * Use:      record_set_load(), record_set_fold(), record_set_save(); each once.
 * Owns:     memory in the arena, and the result its rows were read from, until release.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 */
#ifndef CTI_RECORD_SET_H
#define CTI_RECORD_SET_H

#include "workerd/batch/feed_db.h"
#include "workerd/batch/records_db.h"

struct record_set {
	const struct record_kind *kind;
	struct fold_row *rows; /* sorted by r.dialpad_id */
	struct record *before; /* as loaded */
	bool *loaded;          /* it existed before this batch */
	int n;
	struct db_result result;
};

struct feed_list {
	struct feed_item *items;
	int n;
};

/* `ids` in any order, with repetitions. */
CTI_MUST_CHECK enum err_code record_set_load(struct db_conn *c, struct uuid app_id,
    const struct record_kind *kind, const int64_t *ids, int nids, struct arena *a,
    struct record_set *out, struct err *e);

/* Changes of other kinds are passed over. */
void record_set_fold(
    struct record_set *s, const struct fold_change *changes, int n, struct arena *a);

/* Write the rows; add to the feed those in which something changed for a client. */
CTI_MUST_CHECK enum err_code record_set_save(struct db_conn *c, struct uuid app_id,
    struct record_set *s, struct arena *a, struct feed_list *feed, struct err *e);

/* Binary search; `id` is in the set. */
int record_set_find(const struct record_set *s, int64_t id);

void record_set_release(struct record_set *s);

#endif

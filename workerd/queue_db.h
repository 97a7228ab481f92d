/*
 * queue_db - the queue's SQL: which tenant, which events, and what became of them.
 *
 * Use:      all inside the batch's transaction, which holds the tenant's lock.
 * Owns:     queue_take's result belongs to the caller; events lend from it.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 */
#ifndef CTI_QUEUE_DB_H
#define CTI_QUEUE_DB_H

#include "common/base/arena.h"
#include "common/db/db.h"

struct queue_event {
	struct uuid id;
	int64_t received_at; /* ms */
	int32_t attempts;
	struct str payload;     /* STR_NONE: only bytes were kept, or the log row is gone */
	struct str payload_raw; /* STR_NONE unless only bytes were kept */
};

/* Lock the tenant that waited longest among those with due work. False when there is none that is
 * not locked by another worker. */
CTI_MUST_CHECK enum err_code queue_lock_tenant(
    struct db_conn *c, struct uuid *app_id, bool *found, struct err *e);

/* Is any event due, locked tenant or not? */
CTI_MUST_CHECK enum err_code queue_any_due(struct db_conn *c, bool *due, struct err *e);

/* The oldest due events of the tenant. */
CTI_MUST_CHECK enum err_code queue_take(
    struct db_conn *c, struct uuid app_id, int limit, struct db_result *r, struct err *e);
void queue_event_read(const struct db_result *r, int row, struct queue_event *out);

/* Done with these: remove them from the queue. */
CTI_MUST_CHECK enum err_code queue_remove(
    struct db_conn *c, struct uuid app_id, const struct queue_event *events, int n, struct err *e);

/* Why an event did not become a record. `verdict` is one of event_outcomes' words. Nothing is written
 * about an event that the log no longer holds. */
CTI_MUST_CHECK enum err_code queue_outcome(struct db_conn *c, struct uuid app_id,
    const struct queue_event *ev, const char *verdict, const char *error, struct err *e);

/* A failed attempt: try again later (a growing, jittered pause of 2 s to 1 h), or, after
 * max_attempts, dead. *dead tells which. */
CTI_MUST_CHECK enum err_code queue_set_aside(struct db_conn *c, struct uuid app_id,
    const struct queue_event *ev, int max_attempts, const char *error, bool *dead, struct err *e);

/* The tenant was served: it goes to the end of the line. *last_seq is the feed's number before. */
CTI_MUST_CHECK enum err_code queue_served(
    struct db_conn *c, struct uuid app_id, int64_t feed_rows, int64_t *last_seq, struct err *e);

#endif

/*
 * queue_db - the queue's SQL: a tenant's due events, and what became of them.
 *
 * Use:      inside a transaction that holds the tenant's lock.
 * Owns:     queue_take's result belongs to the caller; events lend from it.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 */
#ifndef CTI_QUEUE_DB_H
#define CTI_QUEUE_DB_H

#include "common/base/arena.h"
#include "common/db/db.h"
#include "workerd/fold/fold.h"

/* The bytes of a payload in the log, about. What is compressed counts eight times its stored size: JSON
 * rarely shrinks more, and asking for the size itself would read and unpack every payload. */
#define QUEUE_PAYLOAD_SQL                      \
	"COALESCE(pg_column_size(payload), 0)" \
	" * CASE WHEN pg_column_compression(payload) IS NULL THEN 1 ELSE 8 END"

struct queue_event {
	struct uuid id;
	int64_t received_at; /* ms */
	int64_t arrived_at;  /* ms, by ingestd's clock: earlier than that if it lay in a spool */
	int32_t attempts;    /* failed ones; with one counted beforehand, that too */
	int32_t hook;        /* 0: the bare route, or an event of our own */
	enum fold_origin origin;
	struct str payload; /* STR_NONE: only bytes were kept, or the log row is gone */
	bool is_raw;        /* only bytes were kept: there is no payload */
};

/* The oldest due events of the tenant: up to `limit`, and about so many bytes of payloads; one in any
 * case. No event: *r stays empty. */
CTI_MUST_CHECK enum err_code queue_take(struct db_conn *c, struct uuid app_id, int limit,
    int64_t bytes, struct db_result *r, struct err *e);
/* That one, due or not. */
CTI_MUST_CHECK enum err_code queue_take_one(struct db_conn *c, struct uuid app_id,
    struct uuid event_id, struct db_result *r, struct err *e);
void queue_event_read(const struct db_result *r, int row, struct queue_event *out);

/* Done with these: remove them from the queue. Does not wait for the answer, see db_exec_later(). */
CTI_MUST_CHECK enum err_code queue_remove(
    struct db_conn *c, struct uuid app_id, const struct queue_event *events, int n, struct err *e);

/* Why an event did not become a record. */
struct queue_verdict {
	struct uuid id;
	int32_t attempts;
	const char *verdict; /* one of event_outcomes' words */
	const char *error;   /* or NULL */
};

/* Nothing is written about an event that the log no longer holds. Do not wait for the answer, see
 * db_exec_later(). */
CTI_MUST_CHECK enum err_code queue_outcomes(struct db_conn *c, struct uuid app_id,
    const struct queue_verdict *verdicts, int n, struct err *e);
CTI_MUST_CHECK enum err_code queue_outcome(struct db_conn *c, struct uuid app_id,
    const struct queue_event *ev, const char *verdict, const char *error, struct err *e);

/* Note that the tenant's oldest due events may have killed a worker, unless that was noted of one of
 * them before, or one was tried before; *first: it was noted now. */
CTI_MUST_CHECK enum err_code queue_suspect(
    struct db_conn *c, struct uuid app_id, int limit, bool *first, struct err *e);

/*
 * An attempt that failed, or that is counted before it is made. Due again after a growing, jittered
 * pause (2 s to 1 h), or dead when ev->attempts has reached max_attempts; *dead tells which.
 * ev->attempts includes this attempt.
 */
CTI_MUST_CHECK enum err_code queue_set_aside(struct db_conn *c, struct uuid app_id,
    const struct queue_event *ev, int max_attempts, const char *error, bool *dead, struct err *e);

/* An attempt that was counted beforehand was prevented by the database; the pause stays. */
CTI_MUST_CHECK enum err_code queue_uncount(
    struct db_conn *c, struct uuid app_id, struct uuid event_id, const char *why, struct err *e);
/* An attempt that was counted beforehand is not made: the event is due again. */
CTI_MUST_CHECK enum err_code queue_uncount_now(
    struct db_conn *c, struct uuid app_id, struct uuid event_id, struct err *e);

#endif

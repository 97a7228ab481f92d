/*
 * batch - one transaction of work: lock a tenant, take its oldest events, fold, write, acknowledge.
 *
 * Use:      batch_run() until it says that nothing is left.
 * Owns:     nothing between calls.
 * Threads:  one connection, one thread.
 * Errors:   the transaction was rolled back and nothing happened. With a class that may be repeated
 *           the batch can be run again; any other means that an event cannot be written: run again
 *           with a limit of 1, and such an event is set aside alone.
 *
 * Claim, records, feed and acknowledgement commit together: a crash anywhere is a rollback.
 */
#ifndef CTI_BATCH_H
#define CTI_BATCH_H

#include "common/db/db.h"

struct batch_opts {
	int limit;         /* most events */
	int max_attempts;
	bool single_tenant; /* the only app takes the events of the bare route */
};

enum batch_outcome {
	BATCH_IDLE,   /* nothing is due */
	BATCH_LOCKED, /* something is due, under another worker's lock */
	BATCH_DONE,   /* events were handled; there may be more */
};

struct batch_report {
	enum batch_outcome outcome;
	struct uuid app_id;
	int events;     /* taken, also of a batch that failed */
	int set_aside;  /* of these */
	int changes;    /* feed rows */
	int64_t oldest_at; /* receipt of the oldest event taken, ms */
};

/* *out is filled on failure too: how many events the batch that failed had. */
CTI_MUST_CHECK enum err_code batch_run(struct db_conn *c, const struct batch_opts *o,
    struct batch_report *out, struct err *e);

#endif

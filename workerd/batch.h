/*
 * batch - one transaction of work: lock a tenant, take its oldest events, fold, write, acknowledge.
 *
 * Use:      batch_run() until it says that nothing is left.
 * Owns:     nothing between calls.
 * Threads:  one connection, one thread.
 * Errors:   the transaction was rolled back and nothing happened. batch_is_refused() tells whether
 *           the data is at fault: run again with a limit of 1, and an event that PostgreSQL refuses
 *           is set aside alone. After any other error the same batch may work later.
 *
 * Claim, records, feed and acknowledgement commit together: a crash anywhere is a rollback.
 */
#ifndef CTI_BATCH_H
#define CTI_BATCH_H

#include "common/db/db.h"

struct batch_opts {
	int limit; /* most events */
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
	int events;        /* taken, also of a batch that failed */
	int set_aside;     /* of these */
	int changes;       /* feed rows */
	int64_t oldest_at; /* receipt of the oldest event taken, ms */
};

bool batch_is_refused(enum err_code rc);

/* *out is filled on failure too: how many events the batch that failed had. */
CTI_MUST_CHECK enum err_code batch_run(
    struct db_conn *c, const struct batch_opts *o, struct batch_report *out, struct err *e);

#endif

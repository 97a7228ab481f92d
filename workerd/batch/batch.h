/*
 * batch - one transaction of work: lock a tenant, take its oldest events, fold, write, acknowledge.
 *
 * Use:      batch_run() on a tenant that tenant_claim() gave; batch_alone() for one event of a tenant
 *           where a batch was refused, or took its worker with it.
 * Owns:     nothing between calls.
 * Threads:  one connection, one thread.
 * Errors:   nothing happened: the transaction is rolled back, with the next call on the connection, so
 *           that the lock does not end long before the mark. tenant_release(), or what is next for the
 *           tenant, must come at once. INVALID, CONFLICT and TOO_LARGE mean that PostgreSQL refuses an
 *           event's data; with any other class the batch can be run again.
 *
 * Claim, records, feed and acknowledgement commit together: a crash anywhere is a rollback.
 */
#ifndef CTI_BATCH_H
#define CTI_BATCH_H

#include "common/db/db.h"
#include "workerd/batch/tenant_db.h"

struct batch_opts {
	int limit;     /* most events */
	int64_t bytes; /* most bytes of their payloads, about; one event always goes */
	int max_attempts;
	bool single_tenant; /* the only app takes the events of the bare route */
};

struct batch_report {
	int events;    /* taken, also of a batch that failed */
	int set_aside; /* of these */
	int unclaimed; /* of these, too: nobody's so far */
	int changes;   /* feed rows */
	bool was_busy; /* somebody else had the tenant after all: nothing was done */
	bool owes;     /* batch_alone failed, and has counted an attempt for the event below */
	struct uuid event_id;
	int64_t oldest_at; /* receipt of the oldest event taken, ms */
};

/* *out is filled on failure too: how many events the batch that failed had. */
CTI_MUST_CHECK enum err_code batch_run(struct db_conn *c, const struct batch_opts *o,
    const struct tenant *t, struct batch_report *out, struct err *e);

/*
 * Before the events of a batch that took its worker with it are tried again: note that they are
 * suspects. *first: none of them was one before, so that the worker may have been killed from outside,
 * and the batch may be run again as it was.
 */
CTI_MUST_CHECK enum err_code batch_suspect(struct db_conn *c, const struct batch_opts *o,
    const struct tenant *t, bool *first, struct err *e);

/*
 * The tenant's oldest due event in a batch of its own, its attempt counted and committed beforehand,
 * so that an event that kills its worker is counted too. An event that cannot be stored is set aside
 * and is no error. No event due: out->events is 0. A failure with out->owes: queue_uncount() is due.
 */
CTI_MUST_CHECK enum err_code batch_alone(struct db_conn *c, const struct batch_opts *o,
    const struct tenant *t, struct batch_report *out, struct err *e);

bool batch_is_refused(enum err_code code); /* the data is at fault, not the database */

#endif

/*
 * worker - one thread that runs batches on a connection of its own, for ever.
 *
 * Use:      worker_start(), wake_stop() on the shared wake, worker_join().
 * Owns:     its thread and connection.
 * Threads:  start and join from one thread; the wake is shared by all workers.
 * Errors:   logged once per change of state; after trouble with the database it reconnects.
 */
#ifndef CTI_WORKER_H
#define CTI_WORKER_H

#include "workerd/batch/batch.h"
#include "workerd/wake.h"

struct worker_opts {
	struct db_opts db;
	struct batch_opts batch;
	int64_t poll_ms;
};

struct worker {
	const struct worker_opts *opts; /* borrowed */
	struct wake *wake;              /* borrowed */
	pthread_t thread;
	struct db_conn *conn;
	struct tenant careful; /* the tenant whose events are taken one by one, */
	int careful_left;      /* so many of them; 0: none */
	bool owes;             /* an attempt is to be taken back, */
	struct uuid owed;      /* of this event of `careful`, */
	struct err owed_why;   /* because of this */
	int64_t claims_due_ms; /* when to look at the claims on unclaimed events; monotonic */
	bool troubled;         /* the last batch could not reach the database */
	int found_in_row;      /* steps that found work, since the last rest; counts to 2 */
};

CTI_MUST_CHECK enum err_code worker_start(
    struct worker *w, const struct worker_opts *o, struct wake *wake, struct err *e);
void worker_join(struct worker *w);

#endif

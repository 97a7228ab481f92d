/*
 * workerd - the daemon: threads that run batches, a listener that wakes them.
 *
 * Use:      workerd_start, workerd_unready, workerd_stop from main by daemon_run().
 * Owns:     everything it starts.
 * Threads:  one ops server, one listener, one for the jobs, WORKER_THREADS workers.
 * Errors:   start: what could not be started. A database that is down is no reason not to start.
 */
#ifndef CTI_WORKERD_H
#define CTI_WORKERD_H

#include "common/conf/conf.h"
#include "common/db/db_listen.h"
#include "common/db/db_ready.h"
#include "common/http/http_ops.h"
#include "common/run/daemon.h"
#include "workerd/dialpad/dialpad.h"
#include "workerd/jobs/jobs.h"
#include "workerd/watch/alerts.h"
#include "workerd/worker.h"

enum { WORKERD_MAX_THREADS = 64 };

struct workerd {
	struct http_ops *ops; /* first: the health routes on the daemon's own port look here */
	struct http_server *server;
	struct buf conninfo;
	struct db_ready *ready;
	struct db_listen *listen;
	struct wake wake;
	db_give_up give_up; /* of everything that waits for the database */
	struct worker_opts worker_opts;
	struct worker workers[WORKERD_MAX_THREADS];
	int nworkers;
	struct dialpad dialpad;
	struct alerts alerts;
	struct wake jobs_wake;
	struct jobs_opts jobs_opts;
	struct jobs jobs;
};

CTI_MUST_CHECK enum err_code workerd_start(void *self, const struct conf *c, struct err *e);
void workerd_unready(void *self);
void workerd_stop(void *self, int64_t timeout_ms);

/* `workerd --run-job NAME`: runs it once; exit code 0, or 1 and the reason in the log. */
extern const struct daemon_command workerd_run_job;

#endif

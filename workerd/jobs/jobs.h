/*
 * jobs - one thread that runs the jobs of job.h, each when it is due, in one workerd of all.
 *
 * Use:      jobs_start(), wake_stop() on its wake, jobs_join(). jobs_run_now() is for people. A hint
 *           to the wake makes the requests (request.h) due.
 * Owns:     its thread and a direct connection, on which the jobs work, too.
 * Threads:  start and join from one thread.
 * Errors:   a failed job never ends the thread: it is counted, logged once until it works again, and
 *           repeated soon.
 * Not for:  a connection through a transaction pooler: its locks belong to the session.
 *
 * The leader is the process whose connection holds an advisory lock; the others try for it every few
 * seconds, so that the jobs go on when the leader is gone. Each run holds a lock of its job besides,
 * which keeps jobs_run_now() and the leader apart. Lost connection, lost locks, lost work: all three
 * at once, so nobody works as a leader who is none any more.
 */
#ifndef CTI_JOBS_H
#define CTI_JOBS_H

#include "workerd/jobs/job.h"

struct jobs_opts {
	struct db_opts db; /* direct */
	struct job_opts job;
};

#define X(name, every_s) JOB_NUMBER_##name,
enum { JOB_TABLE(X) JOBS_COUNT };
#undef X

struct jobs {
	const struct jobs_opts *opts; /* borrowed */
	struct wake *wake;            /* borrowed */
	pthread_t thread;
	bool started;
	struct db_conn *conn;
	bool leads;
	bool troubled; /* the database could not be reached */
	struct {
		int64_t due_ms; /* monotonic */
		bool failing;
	} state[JOBS_COUNT];
};

CTI_MUST_CHECK enum err_code jobs_start(
    struct jobs *j, const struct jobs_opts *o, struct wake *wake, struct err *e);
void jobs_join(struct jobs *j); /* one that was not started is allowed */

bool jobs_is_job(const char *name);

/* One run to its end, on a connection of its own. CONFLICT: the leader is running it just now. */
CTI_MUST_CHECK enum err_code jobs_run_now(
    const struct jobs_opts *o, const char *name, struct err *e);

extern const char JOBS_HELP[]; /* the line of --help on --run-job */

#endif

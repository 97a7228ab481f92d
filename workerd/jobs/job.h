/*
 * job - the work of workerd that is not events: the list of jobs, and what one run of a job has.
 *
 * Use:      add a row to JOB_TABLE and write job_<name>() in workerd/jobs/job_<name>.c. jobs.h runs them.
 * Owns:     nothing; a run borrows its connection.
 * Threads:  one run, one thread.
 * Errors:   as db.h. A failed job is repeated soon; it must leave nothing half done.
 *
 * A job works in short steps: at most JOB_CHUNK rows and one transaction each, and asks
 * job_may_go_on() before every one, so that it never holds the others up, or the end of the daemon.
 */
#ifndef CTI_JOB_H
#define CTI_JOB_H

#include "common/db/db.h"
#include "workerd/wake.h"

/* clang-format off */
/* Name, and how often in seconds; they run in this order. */
#define JOB_TABLE(X)                                                        \
	X(partitions, 3600) /* days of the log and the feed, made ahead */  \
	X(gauges,       15) /* the queue's depth and age */                 \
	X(heads,        60) /* apps without a head, events without an app */ \
	X(tokens,       60) /* tokens of Dialpad, before they end */        \
	X(watch,        15) /* what is due unasked: repairs, checks of hooks */ \
	X(alarms,       60) /* what needs a person */                       \
	X(requests,      5) /* work that was asked for */                   \
	X(connections,   5) /* clients are told how their connection is */  \
	X(sweeper,     600) /* calls whose end never came */                \
	X(cleanup,     600) /* what has expired */                          \
	X(retention,  3600) /* old days of the log and the feed */          \
	X(records,    3600) /* old calls, messages, voicemails */           \
	X(deleted,     600) /* the data of deleted apps */
/* clang-format on */

enum { JOB_CHUNK = 1000 };

struct alerts;
struct conf;
struct dialpad;

struct job_opts {
	const struct conf *conf;
	int event_days, feed_days;
	bool archive;    /* old events are kept aside, not dropped */
	int record_days; /* 0: for ever */
	int stuck_hours;
	struct dialpad *dialpad;     /* see workerd/dialpad/dialpad.h */
	const struct alerts *alerts; /* see workerd/watch/alerts.h */
};

struct job_run {
	struct db_conn *conn;
	const struct job_opts *opts;
	struct wake *wake; /* NULL: nobody will ask it to stop */
	int64_t until_ms;  /* monotonic: the end of its share of time */
	bool more;         /* it stopped before it was done */
};

bool job_is_stopping(const struct job_run *r);

/* False when the daemon is stopping or the run's time is up; notes that there is more to do. */
bool job_may_go_on(struct job_run *r);

/*
 * Runs `step` in a transaction of its own that holds the tenant's lock, so that no worker is serving
 * it. *busy: one was, for all of a second; nothing was done, and the run is noted to have more to do.
 */
typedef enum err_code (*job_step)(struct job_run *r, void *arg, struct err *e);
CTI_MUST_CHECK enum err_code job_in_turn(
    struct job_run *r, struct uuid app_id, job_step step, void *arg, bool *busy, struct err *e);

/* In this transaction, few rows are joined with many by key, one after the other, however few or many
 * the planner believes them to be. */
CTI_MUST_CHECK enum err_code job_join_by_key(struct job_run *r, struct err *e);

/* The app ids of all tenants. */
CTI_MUST_CHECK enum err_code job_tenants(struct job_run *r, struct db_result *out, struct err *e);

/* Events were queued: workers look at once. A hint only. */
void job_hint_workers(struct job_run *r);
/* The feed has grown: apid looks at once. A hint only. */
void job_hint_clients(struct job_run *r);
/* Requests (request.h) were made: the leader takes them at once. A hint only. */
void job_hint_requests(struct job_run *r);

#define X(name, every_s) CTI_MUST_CHECK enum err_code job_##name(struct job_run *r, struct err *e);
JOB_TABLE(X)
#undef X

/* The gauges are zero wherever the job does not run: of several processes one knows. */
void job_gauges_clear(void);

#endif

/*
 * request - work that somebody asked for: a row in `jobs`, done by workerd, repeated until it is.
 *
 * Use:      add a row to REQUEST_TABLE and write request_<kind>(). Whoever asks inserts the row and
 *           notifies the channel cti_jobs; job_requests() takes what is due.
 * Owns:     a run borrows its row; what it fills in `end` is released by the runner.
 * Threads:  one at a time, in the leader.
 * Errors:   CONFLICT and INVALID: not tried again until somebody asks anew. Anything else is tried
 *           again, 5 s later at first and twice as long each time, up to an hour.
 * Not for:  events.
 *
 * A run that was killed is repeated after 5 s. A run that a stopping daemon broke off is no attempt.
 */
#ifndef CTI_REQUEST_H
#define CTI_REQUEST_H

#include "workerd/jobs/job.h"

/* clang-format off */
#define REQUEST_TABLE(X)                                               \
	X(provision) /* webhook and subscriptions as they should be */ \
	X(repair)    /* calls that were missed, from Dialpad's list */ \
	X(alert)     /* tell ALERT_WEBHOOK_URL */                      \
	X(replay)    /* events again, and the records that came of them */ \
	X(assign)    /* unclaimed events to an app */                  \
	X(erase)     /* one person's records and events */
/* clang-format on */

enum { REQUEST_NEVER = -1, REQUEST_MAX_JSON = 64 * 1024 };

struct request {
	struct uuid app_id;
	struct str key;    /* job_key */
	struct str params; /* a JSON object; STR_NONE: none */
};

struct request_end {
	int64_t again_ms;  /* when it is due again; REQUEST_NEVER unless set */
	struct buf params; /* if not empty: what a later run goes on with */
	struct buf result; /* if not empty: for people, a JSON object */
};

#define X(kind)                                      \
	CTI_MUST_CHECK enum err_code request_##kind( \
	    struct job_run *r, const struct request *q, struct request_end *end, struct err *e);
REQUEST_TABLE(X)
#undef X

/* At start, so that the first calls that are repaired count as an increase. */
void repair_declare_metrics(void);

#endif

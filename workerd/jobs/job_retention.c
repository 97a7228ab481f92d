/* Old days of the event log leave it, into the archive or for good; old days of the feed are dropped.
 * A day that is in use just now stays until the next run. See migrations/deploy/event_archive.sql. */
#include "workerd/jobs/job.h"

#include "common/base/log.h"

static const struct db_stmt RETIRE_EVENTS = {
	.name = "job_retire_events",
	.sql = "SELECT retire_events($1, $2)",
};

static const struct db_stmt RETIRE_FEED = {
	.name = "job_retire_feed",
	.sql = "SELECT retire_feed($1)",
};

/* One day after the other, until the statement finds none. */
static enum err_code
retire(struct job_run *r, const struct db_stmt *s, const struct db_params *p, const char *done,
    struct err *e)
{
	while (job_may_go_on(r)) {
		AUTO_RELEASE(db_result_clear) struct db_result day = DB_RESULT_NONE;
		enum err_code rc = db_exec(r->conn, s, p, &day, e);

		if (rc != ERR_OK || db_null(&day, 0, 0))
			return rc;
		log_info(done, "day=%.*s", STR_ARG(db_str(&day, 0, 0)));
	}
	return ERR_OK;
}

static enum err_code
retire_events(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_i32(&p, r->opts->event_days);
	db_p_bool(&p, r->opts->archive);
	return retire(
	    r, &RETIRE_EVENTS, &p, r->opts->archive ? "events.archived" : "events.dropped", e);
}

static enum err_code
retire_feed(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_i32(&p, r->opts->feed_days);
	return retire(r, &RETIRE_FEED, &p, "feed.dropped", e);
}

/* A day of the log that cannot go keeps no day of the feed. */
enum err_code
job_retention(struct job_run *r, struct err *e)
{
	struct err events;
	enum err_code events_rc = retire_events(r, &events);
	enum err_code rc = retire_feed(r, e);

	if (events_rc != ERR_OK) {
		*e = events;
		rc = events_rc;
	}
	return rc;
}

#include "workerd/worker.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "workerd/batch/queue_db.h"
#include "workerd/claim/claim_again.h"

#include <sodium.h>

static struct metric events_total =
    METRIC_COUNTER("cti_worker_events_total", "Events taken from the queue, by result.", "result");
static struct metric batches_total =
    METRIC_COUNTER("cti_worker_batches_total", "Batches, by result.", "result");
static struct metric changes_total =
    METRIC_COUNTER("cti_worker_changes_total", "Rows appended to the change feed.", NULL);
static struct metric batch_seconds =
    METRIC_SECONDS("cti_worker_batch_seconds", "Time of a batch, from claim to commit.", NULL);
static struct metric lag_seconds = METRIC_SECONDS(
    "cti_worker_lag_seconds", "From receipt of a batch's oldest event to its commit.", NULL);

/* Base plus up to half of it, so that many workers do not move in step. */
static int64_t
jittered(int64_t ms)
{
	return ms + randombytes_uniform((uint32_t)(ms / 2 + 1));
}

/* ---- what follows from a batch ---- */

static void
count_done(const struct batch_report *r, const char *kind, int64_t started_us)
{
	if (r->events == 0)
		return;
	metric_add(&batches_total, kind, 1);
	metric_add(&events_total, "processed", r->events - r->set_aside - r->unclaimed);
	metric_add(&events_total, "set_aside", r->set_aside);
	metric_add(&events_total, "unclaimed", r->unclaimed);
	metric_add(&changes_total, NULL, r->changes);
	metric_observe_us(&batch_seconds, NULL, clock_mono_us() - started_us);
	metric_observe_us(&lag_seconds, NULL, (clock_wall_ms() - r->oldest_at) * 1000);
}

static void
be_careful(struct worker *w, const struct tenant *t, int events)
{
	w->careful = *t;
	w->careful_left = events;
}

/* The mark says "no worker survives this"; a batch that only failed, or never began, takes it back. */
static void
release(struct worker *w, const struct tenant *t)
{
	struct err e;

	if (w->conn != NULL && !db_is_broken(w->conn)
	    && tenant_release(w->conn, t->app_id, &e) != ERR_OK)
		log_err(LOG_DEBUG, "tenant.not_released", &e);
}

static void
note_trouble(struct worker *w, const struct err *e)
{
	metric_add(&batches_total, "repeated", 1);
	log_err(w->troubled ? LOG_DEBUG : LOG_WARN, "batch.repeated", e);
	w->troubled = true;
	if (w->conn != NULL && db_is_broken(w->conn)) {
		db_close(w->conn);
		w->conn = NULL;
	}
}

static void
renew(struct worker *w, const struct tenant *t)
{
	struct err e;

	if (tenant_renew(w->conn, t->app_id, &e) != ERR_OK)
		log_err(LOG_DEBUG, "tenant.not_renewed", &e);
}

/* ---- one step ---- */

/* The database was in the way. The others have their turn before this tenant is tried again, because
 * the way may be blocked for it alone. */
static void
give_way(
    struct worker *w, const struct tenant *t, const struct batch_report *r, const struct err *e)
{
	w->careful_left = 0;
	if (r->owes) {
		w->owes = true;
		w->owed = r->event_id;
		w->owed_why = *e;
	}
	release(w, t);
}

/* An attempt is taken back as soon as the database allows it. */
static enum err_code
settle(struct worker *w, struct err *e)
{
	enum err_code rc;

	if (!w->owes)
		return ERR_OK;
	rc = queue_uncount(w->conn, w->careful.app_id, w->owed, w->owed_why.msg, e);
	w->owes = rc != ERR_OK;
	return rc;
}

static enum err_code
step_carefully(struct worker *w, struct err *e)
{
	struct tenant t = w->careful;
	struct batch_report r;
	int64_t started_us = clock_mono_us();
	enum err_code rc = batch_alone(w->conn, &w->opts->batch, &t, &r, e);

	if (rc != ERR_OK) {
		give_way(w, &t, &r, e);
		return rc;
	}
	count_done(&r, "alone", started_us);
	w->careful_left = r.events == 0 ? 0 : w->careful_left - 1;
	if (w->careful_left == 0 && !r.was_busy) /* else the mark is somebody else's */
		release(w, &t);
	return ERR_OK;
}

/* A row without a partition for its day is nobody's fault: the job that makes them did not run. */
static bool
made_partitions(struct worker *w, const struct err *refused)
{
	static const struct db_stmt make = {
		.name = "worker_partitions",
		.sql = "SELECT ensure_partitions()",
	};
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct err e;

	if (strcmp(refused->sqlstate, "23514") != 0)
		return false;
	return db_exec(w->conn, &make, NULL, &r, &e) == ERR_OK && db_i64(&r, 0, 0) > 0;
}

/* An error of PostgreSQL's own, or a batch that takes too long, may come from one event as well as what
 * is refused. That costs the event no attempt, but must not stop the others. */
static bool
is_worth_searching(enum err_code rc)
{
	return batch_is_refused(rc) || rc == ERR_INTERNAL || rc == ERR_TIMEOUT;
}

static enum err_code
step_batch(struct worker *w, const struct tenant *t, struct err *e)
{
	struct batch_report r;
	int64_t started_us = clock_mono_us();
	enum err_code rc = batch_run(w->conn, &w->opts->batch, t, &r, e);

	if (rc == ERR_OK)
		count_done(&r, "done", started_us);
	if (rc == ERR_OK && !r.was_busy)
		return ERR_OK;
	if (r.events == 0 || db_is_broken(w->conn) || !is_worth_searching(rc)
	    || made_partitions(w, e)) {
		release(w, t);
		return rc;
	}
	/* The mark stays: nobody else serves this tenant until the culprit is found. */
	be_careful(w, t, r.events);
	renew(w, t);
	if (!batch_is_refused(rc))
		return rc;
	metric_add(&batches_total, "refused", 1);
	log_err(LOG_WARN, "batch.refused", e);
	return ERR_OK;
}

/* Most workers that die were killed from outside. Only a batch that has killed two is worth the time
 * that its events take one by one. */
static enum err_code
step_after_death(struct worker *w, const struct tenant *t, struct err *e)
{
	bool first;
	enum err_code rc;

	log_warn("batch.died", "a batch of this tenant took its worker or its connection with it");
	metric_add(&batches_total, "died", 1);
	rc = batch_suspect(w->conn, &w->opts->batch, t, &first, e);
	if (rc != ERR_OK)
		return rc;
	if (first)
		return step_batch(w, t, e);
	be_careful(w, t, w->opts->batch.limit);
	return ERR_OK;
}

/* Unclaimed events come back when their claims have changed. A failure here keeps nobody from work. */
static void
step_claims(struct worker *w)
{
	bool more = false;
	struct err e;

	if (clock_mono_ms() < w->claims_due_ms)
		return;
	if (claim_again(w->conn, &w->opts->batch, &more, &e) != ERR_OK)
		log_err(LOG_WARN, "unclaimed.not_tried_again", &e);
	w->claims_due_ms = more ? 0 : clock_mono_ms() + w->opts->poll_ms * 2 / 3;
}

enum rest { REST_NONE, REST_HINT, REST_BUSY, REST_PAUSE };

/* Serve one tenant; *rest says what to wait for before the next. */
static enum err_code
step(struct worker *w, enum rest *rest, struct err *e)
{
	struct tenant t;
	bool found, due;
	enum err_code rc = w->conn == NULL ? db_connect(&w->opts->db, &w->conn, e) : ERR_OK;

	*rest = REST_NONE;
	if (rc == ERR_OK)
		rc = settle(w, e);
	if (rc == ERR_OK && w->careful_left > 0)
		return step_carefully(w, e);
	if (rc == ERR_OK) {
		step_claims(w);
		rc = tenant_claim(w->conn, &t, &found, &due, e);
	}
	if (rc != ERR_OK)
		return rc;
	if (found && t.died)
		return step_after_death(w, &t, e);
	if (found)
		return step_batch(w, &t, e);
	*rest = due ? REST_BUSY : REST_HINT;
	return ERR_OK;
}

/* ---- the thread ---- */

/* A hint wakes one worker, which is enough for one event. One that finds work a second time calls the
 * next. */
static void
call_another(struct worker *w, enum rest rest)
{
	if (rest != REST_NONE)
		w->found_in_row = 0;
	else if (w->found_in_row < 2 && ++w->found_in_row == 2)
		wake_hint(w->wake);
}

static bool
rest_a_while(struct worker *w, enum rest rest, uint64_t seen)
{
	switch (rest) {
	case REST_HINT: return wake_wait(w->wake, seen, jittered(w->opts->poll_ms * 2 / 3));
	case REST_BUSY: /* another worker serves what is due, or did before it died */
		return wake_wait(w->wake, seen, jittered(100));
	case REST_PAUSE: return wake_pause(w->wake, jittered(100)); /* hints do not help */
	case REST_NONE: break;
	}
	return wake_pause(w->wake, 0);
}

/* What this worker owes, it owes still. */
static void
leave(struct worker *w)
{
	struct err e;

	if (w->conn != NULL && settle(w, &e) != ERR_OK)
		log_err(LOG_DEBUG, "event.attempt_not_taken_back", &e);
	if (w->careful_left > 0)
		release(w, &w->careful);
	db_close(w->conn);
}

static void *
run(void *arg)
{
	struct worker *w = arg;
	bool going = true;

	while (going) {
		uint64_t seen = wake_seen(w->wake);
		enum rest rest;
		struct err e;

		if (step(w, &rest, &e) == ERR_OK) {
			w->troubled = false;
		} else {
			note_trouble(w, &e);
			rest = REST_PAUSE;
		}
		call_another(w, rest);
		going = rest_a_while(w, rest, seen);
	}
	leave(w);
	return NULL;
}

enum err_code
worker_start(struct worker *w, const struct worker_opts *o, struct wake *wake, struct err *e)
{
	*w = (struct worker){ .opts = o, .wake = wake };
	metric_declare(&events_total, "processed");
	metric_declare(&events_total, "set_aside");
	metric_declare(&events_total, "unclaimed");
	metric_declare(&batches_total, "done");
	metric_declare(&changes_total, NULL);
	metric_declare(&batch_seconds, NULL);
	metric_declare(&lag_seconds, NULL);
	if (pthread_create(&w->thread, NULL, run, w) != 0)
		return err_set(e, ERR_UNAVAILABLE, "cannot start a worker thread");
	return ERR_OK;
}

void
worker_join(struct worker *w)
{
	(void)pthread_join(w->thread, NULL);
}

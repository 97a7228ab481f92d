#include "workerd/worker.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"

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

/* ---- one batch and what follows from it ---- */

static void
count_done(const struct batch_report *r, int64_t started_us)
{
	metric_add(&batches_total, "done", 1);
	metric_add(&events_total, "processed", r->events - r->set_aside);
	metric_add(&events_total, "set_aside", r->set_aside);
	metric_add(&changes_total, NULL, r->changes);
	metric_observe_us(&batch_seconds, NULL, clock_mono_us() - started_us);
	if (r->events > 0)
		metric_observe_us(&lag_seconds, NULL, (clock_wall_ms() - r->oldest_at) * 1000);
}

/* The data is at fault, not the database: the events are taken one by one, to find which. */
static void
narrow_down(struct worker *w, const struct batch_report *r, const struct err *e)
{
	metric_add(&batches_total, "refused", 1);
	log_err(LOG_WARN, "batch.refused", e);
	w->careful = r->events > 0 ? r->events : 1;
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

static enum err_code
connect_if_needed(struct worker *w, struct err *e)
{
	if (w->conn != NULL)
		return ERR_OK;
	return db_connect(&w->opts->db, &w->conn, e);
}

/* True when there may be more to do at once; else *pause_ms says how long to wait for a hint, and
 * *locked that hints do not matter. */
static bool
step(struct worker *w, int64_t *pause_ms, bool *locked)
{
	struct batch_opts o = w->opts->batch;
	struct batch_report r = { .outcome = BATCH_IDLE };
	int64_t started_us = clock_mono_us();
	struct err e;
	enum err_code rc = connect_if_needed(w, &e);

	*locked = false;
	if (w->careful > 0)
		o.limit = 1;
	if (rc == ERR_OK)
		rc = batch_run(w->conn, &o, &r, &e);
	if (rc == ERR_OK && r.outcome == BATCH_DONE) {
		w->troubled = false;
		w->careful -= w->careful > 0;
		count_done(&r, started_us);
		if (r.changes > 0 && db_command(w->conn, "NOTIFY cti_feed", &e) != ERR_OK)
			log_err(LOG_DEBUG, "feed.notify_failed", &e);
		return true;
	}
	if (rc == ERR_OK) {
		w->troubled = false;
		w->careful = 0;
		*locked = r.outcome == BATCH_LOCKED;
		*pause_ms = *locked ? jittered(100) : jittered(w->opts->poll_ms * 2 / 3);
		return false;
	}
	if (r.outcome == BATCH_DONE && batch_is_refused(rc) && o.limit > 1) {
		narrow_down(w, &r, &e);
		return true;
	}
	note_trouble(w, &e);
	*locked = true;
	*pause_ms = jittered(250);
	return false;
}

static void *
run(void *arg)
{
	struct worker *w = arg;
	int64_t pause_ms = 0;
	bool going = true, locked = false;

	while (going) {
		uint64_t seen = wake_seen(w->wake);

		if (step(w, &pause_ms, &locked))
			going = wake_pause(w->wake, 0);
		else if (locked)
			going = wake_pause(w->wake, pause_ms);
		else
			going = wake_wait(w->wake, seen, pause_ms);
	}
	db_close(w->conn);
	return NULL;
}

enum err_code
worker_start(struct worker *w, const struct worker_opts *o, struct wake *wake, struct err *e)
{
	*w = (struct worker){ .opts = o, .wake = wake };
	metric_declare(&events_total, "processed");
	metric_declare(&events_total, "set_aside");
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

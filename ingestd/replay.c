#include "ingestd/replay.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "ingestd/insert_db.h"

#include <pthread.h>
#include <stdatomic.h>

static struct metric files = METRIC_GAUGE("cti_ingest_spool_files", "Files in the spool.", "kind");
static struct metric bytes = METRIC_GAUGE("cti_ingest_spool_bytes", "Bytes in the spool.", NULL);
static struct metric age = METRIC_GAUGE(
    "cti_ingest_spool_oldest_age_seconds", "Age of the oldest file in the spool.", NULL);
static struct metric replayed_total =
    METRIC_COUNTER("cti_ingest_replayed_events_total", "Events stored from the spool.", NULL);

enum { IDLE_MS = 1000, FIRST_PAUSE_MS = 250, LONGEST_PAUSE_MS = 2000, STEP_MS = 50 };

struct replay {
	struct spool *spool;
	struct db_opts db;
	struct db_conn *conn;
	pthread_t thread;
	atomic_bool stopping;
	int64_t pause_ms; /* 0: all is well */
};

static void
report_state(struct replay *r)
{
	struct spool_state st;

	spool_state(r->spool, &st);
	metric_set(&files, "waiting", st.files);
	metric_set(&files, "damaged", st.bad_files);
	metric_set(&bytes, NULL, st.bytes);
	metric_set(&age, NULL, st.oldest_at == 0 ? 0 : (clock_wall_ms() - st.oldest_at) / 1000);
}

static void
pause_a_moment(struct replay *r)
{
	r->pause_ms = r->pause_ms == 0 ? FIRST_PAUSE_MS : r->pause_ms * 2;
	if (r->pause_ms > LONGEST_PAUSE_MS)
		r->pause_ms = LONGEST_PAUSE_MS;
	for (int64_t slept = 0; slept < r->pause_ms && !atomic_load(&r->stopping); slept += STEP_MS)
		clock_sleep_ms(STEP_MS);
}

static enum err_code
store(struct replay *r, const struct event *const *events, int n, struct err *e)
{
	struct err hint;
	enum err_code rc = ERR_OK;

	if (r->conn == NULL)
		rc = db_connect(&r->db, &r->conn, e);
	if (rc == ERR_OK)
		rc = insert_group(r->conn, events, n, e);
	if (rc == ERR_OK && db_notify(r->conn, "cti_events", &hint) != ERR_OK)
		log_err(LOG_DEBUG, "ingest.notify_failed", &hint);
	if (r->conn != NULL && db_is_broken(r->conn)) {
		db_close(r->conn);
		r->conn = NULL;
	}
	return rc;
}

/* One file. False: the database could not take it yet. */
static bool
replay_file(struct replay *r, int64_t number)
{
	AUTO_RELEASE(arena_release) struct arena a;
	const struct event *const *events;
	struct err e;
	int n;

	arena_init(&a);
	if (spool_read(r->spool, number, &a, &events, &n, &e) != ERR_OK) {
		log_err(LOG_ERROR, "spool.unreadable", &e);
		return e.code == ERR_INVALID; /* set aside: on to the next */
	}
	if (store(r, events, n, &e) != ERR_OK) {
		log_err(r->pause_ms == 0 ? LOG_WARN : LOG_DEBUG, "spool.not_replayed", &e);
		return false;
	}
	spool_remove(r->spool, number);
	metric_add(&replayed_total, NULL, n);
	log_info("spool.replayed", "file=%lld events=%d", (long long)number, n);
	return true;
}

static void *
run(void *arg)
{
	struct replay *r = arg;

	while (!atomic_load(&r->stopping)) {
		int64_t number;

		report_state(r);
		spool_oldest(r->spool, IDLE_MS, &number);
		if (number == 0)
			continue;
		if (replay_file(r, number))
			r->pause_ms = 0;
		else
			pause_a_moment(r);
	}
	db_close(r->conn);
	return NULL;
}

enum err_code
replay_start(struct spool *s, const struct db_opts *db, struct replay **out, struct err *e)
{
	struct replay *r = calloc(1, sizeof *r);

	if (r == NULL)
		abort();
	r->spool = s;
	r->db = *db;
	metric_declare(&replayed_total, NULL);
	report_state(r);
	if (pthread_create(&r->thread, NULL, run, r) != 0) {
		free(r);
		return err_set(e, ERR_UNAVAILABLE, "cannot start the replay thread");
	}
	*out = r;
	return ERR_OK;
}

void
replay_stop(struct replay *r)
{
	if (r == NULL)
		return;
	atomic_store(&r->stopping, true);
	spool_wake(r->spool);
	(void)pthread_join(r->thread, NULL);
	free(r);
}

#include "ingestd/writer.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/log.h"
#include "common/base/metric.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

static struct metric waiting =
    METRIC_GAUGE("cti_ingest_waiting", "Events waiting for a writer.", NULL);
static struct metric groups_total =
    METRIC_COUNTER("cti_ingest_groups_total", "Groups of events, by where they went.", "to");
static struct metric grouped_total = METRIC_COUNTER("cti_ingest_grouped_events_total",
    "Events in those groups; divided by the groups it is their mean size.", "to");
static struct metric commit_seconds =
    METRIC_SECONDS("cti_ingest_commit_seconds", "Time to commit a group in the database.", NULL);

enum {
	MARGIN_MS = 200,
	LEAST_MS = 100,
	PAUSE_MS = 250,
	HINT_GAP_MS = 5,
	HINT_MS = 500, /* the longest that a hint may take */
	GROUP_LIMIT = 1024,
	GROUP_BYTES = 16 * 1024 * 1024 /* of claims: more would not be stored in time */
};

/* A waiting event, on the stack of its request's thread. */
struct entry {
	const struct event *ev;
	struct entry *next;
	int64_t until; /* monotonic ms */
	bool taken;    /* guarded by the writer's mu */
	_Atomic(enum err_code)
	    result;     /* atomic for ThreadSanitizer, which misses sem_clockwait() */
	sem_t answered; /* posted when `result` is set: a woken request needs no lock */
};

struct writer {
	struct writer_opts o;
	pthread_mutex_t mu;
	pthread_cond_t work;
	struct entry *first, **last; /* guarded by mu, as all below */
	int nwaiting;
	bool stopping;
	int64_t
	    not_before; /* monotonic ms: after a failure the database is left alone for a moment */
	bool troubled;
	int nthreads;
	pthread_t threads[];
};

/* ---- a request's side ---- */

static void
enqueue(struct writer *w, struct entry *en)
{
	*w->last = en;
	w->last = &en->next;
	metric_set(&waiting, NULL, ++w->nwaiting);
	(void)pthread_cond_signal(&w->work);
}

static void
unlink_entry(struct writer *w, const struct entry *en)
{
	struct entry **at = &w->first;

	while (*at != en)
		at = &(*at)->next;
	*at = en->next;
	if (*at == NULL)
		w->last = at;
	metric_set(&waiting, NULL, --w->nwaiting);
}

/* False: the instant has come. */
static bool
is_answered_until(struct entry *en, int64_t mono_ms)
{
	struct timespec t = { .tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000 };
	int rc;

	while ((rc = sem_clockwait(&en->answered, CLOCK_MONOTONIC, &t)) != 0 && errno == EINTR)
		;
	return rc == 0;
}

/* Leave the queue; too late when a writer has taken the event. */
static bool
withdraw(struct writer *w, struct entry *en)
{
	bool taken;

	(void)pthread_mutex_lock(&w->mu);
	taken = en->taken;
	if (!taken)
		unlink_entry(w, en);
	(void)pthread_mutex_unlock(&w->mu);
	return !taken;
}

/* A writer that has taken the event answers in time; only before that may we leave. */
static bool
wait_for_writer(struct writer *w, struct entry *en)
{
	if (is_answered_until(en, en->until))
		return true;
	if (withdraw(w, en))
		return false;
	while (sem_wait(&en->answered) != 0)
		;
	return true;
}

enum err_code
writer_store(struct writer *w, const struct event *ev, int64_t until_ms, struct err *e)
{
	struct entry en = { .ev = ev };
	bool full, answered = false;

	en.until = until_ms;
	(void)sem_init(&en.answered, 0, 0);
	(void)pthread_mutex_lock(&w->mu);
	full = w->nwaiting >= w->o.max_waiting;
	if (!full)
		enqueue(w, &en);
	(void)pthread_mutex_unlock(&w->mu);
	if (!full)
		answered = wait_for_writer(w, &en);
	(void)sem_destroy(&en.answered);
	if (full)
		return err_set(e, ERR_UNAVAILABLE, "too many events are waiting");
	if (!answered)
		return err_set(e, ERR_UNAVAILABLE, "no writer was free in time");
	return en.result == ERR_OK ? ERR_OK : err_set(e, ERR_UNAVAILABLE, "not stored");
}

/* ---- a writer's side ---- */

struct group {
	const struct event *events[GROUP_LIMIT];
	struct entry *entries[GROUP_LIMIT];
	int n;
	size_t bytes;  /* of their claims */
	int64_t until; /* of the one that can wait least: its body may have come slowly */
};

/* A writer's NOTIFYs: at most one each HINT_GAP_MS, and one after the last group. */
struct hints {
	int64_t due_ms; /* monotonic: when the next one may be sent */
	bool owed;
};

/* With mu held: until there is work, or a hint is due, or there will be no more work. */
static void
wait_for_work(struct writer *w, const struct hints *h)
{
	while (w->first == NULL && !w->stopping) {
		if (!h->owed)
			(void)pthread_cond_wait(&w->work, &w->mu);
		else if (!cond_wait_until(&w->work, &w->mu, h->due_ms))
			return;
	}
}

/* One that is too large for any group is a group of its own. */
static bool
fits(const struct writer *w, const struct group *g, const struct entry *en)
{
	return g->n == 0
	    || (g->n < w->o.group && g->bytes + en->ev->claims.n <= (size_t)GROUP_BYTES);
}

/* The group may be empty, when a hint is due. False when there is no work and will be none. */
static bool
take_group(struct writer *w, const struct hints *h, struct group *g)
{
	bool stopping;

	(void)pthread_mutex_lock(&w->mu);
	wait_for_work(w, h);
	stopping = w->stopping;
	g->n = 0;
	g->bytes = 0;
	while (w->first != NULL && fits(w, g, w->first)) {
		struct entry *en = w->first;

		w->first = en->next;
		w->nwaiting--;
		en->taken = true;
		if (g->n == 0 || en->until < g->until)
			g->until = en->until;
		g->bytes += en->ev->claims.n;
		g->events[g->n] = en->ev;
		g->entries[g->n++] = en;
	}
	if (w->first == NULL)
		w->last = &w->first;
	else
		(void)pthread_cond_signal(&w->work);
	metric_set(&waiting, NULL, w->nwaiting);
	(void)pthread_mutex_unlock(&w->mu);
	return g->n > 0 || !stopping;
}

/* An entry is gone as soon as its request is woken. */
static void
release_group(const struct group *g, enum err_code result)
{
	for (int i = 0; i < g->n; i++) {
		g->entries[i]->result = result;
		(void)sem_post(&g->entries[i]->answered);
	}
}

static int64_t
time_left(const struct writer *w, const struct group *g)
{
	int64_t left = g->until - MARGIN_MS - clock_mono_ms();

	if (w->o.spool != NULL && left > w->o.spool_ms)
		left = w->o.spool_ms;
	return left < LEAST_MS ? LEAST_MS : left;
}

static bool
database_is_resting(struct writer *w)
{
	bool resting;

	(void)pthread_mutex_lock(&w->mu);
	resting = clock_mono_ms() < w->not_before;
	(void)pthread_mutex_unlock(&w->mu);
	return resting;
}

/* Log a change for the worse or the better once, not once a group. */
static void
note_health(struct writer *w, enum err_code rc, const struct err *e)
{
	bool changed;

	(void)pthread_mutex_lock(&w->mu);
	changed = w->troubled != (rc != ERR_OK);
	w->troubled = rc != ERR_OK;
	w->not_before = rc == ERR_OK ? 0 : clock_mono_ms() + PAUSE_MS;
	(void)pthread_mutex_unlock(&w->mu);
	if (changed && rc != ERR_OK)
		log_err(LOG_ERROR, "ingest.database_trouble", e);
	else if (changed)
		log_info("ingest.database_back", "events are stored in the database again");
}

static enum err_code
insert_once(struct db_conn **conn, const struct db_opts *o, const struct group *g, int64_t left_ms,
    struct err *e)
{
	struct db_opts timed = *o;
	enum err_code rc = ERR_OK;

	timed.connect_ms = left_ms; /* its statements have the deadline of their own group */
	if (*conn == NULL)
		rc = db_connect(&timed, conn, e);
	if (rc != ERR_OK)
		return rc;
	db_set_deadline(*conn, clock_mono_ms() + left_ms);
	rc = insert_group(*conn, g->events, g->n, e);
	if (db_is_broken(*conn)) {
		db_close(*conn);
		*conn = NULL;
	}
	return rc;
}

static enum err_code
to_database(struct writer *w, struct db_conn **conn, const struct group *g, struct err *e)
{
	int64_t started_us = clock_mono_us();
	bool was_open = *conn != NULL;
	enum err_code rc;

	if (database_is_resting(w))
		return err_set(e, ERR_UNAVAILABLE, "the database failed a moment ago");
	rc = insert_once(conn, &w->o.db, g, time_left(w, g), e);
	/* A connection that died while it was idle says nothing about the database. */
	if (rc == ERR_UNAVAILABLE && was_open && *conn == NULL)
		rc = insert_once(conn, &w->o.db, g, time_left(w, g), e);
	note_health(w, rc, e);
	if (rc == ERR_OK)
		metric_observe_us(&commit_seconds, NULL, clock_mono_us() - started_us);
	return rc;
}

static void
count_group(const char *to, int n)
{
	metric_add(&groups_total, to, 1);
	metric_add(&grouped_total, to, n);
}

/* Hints that fail cost a poll, not an event. Events are waiting meanwhile, and a NOTIFY waits for a
 * standby as every commit does. */
static void
send_hint(struct db_conn *conn, struct hints *h)
{
	struct err e;

	h->owed = false;
	if (conn == NULL)
		return;
	db_set_deadline(conn, clock_mono_ms() + HINT_MS);
	if (db_notify(conn, "cti_events", &e) != ERR_OK)
		log_err(LOG_DEBUG, "ingest.notify_failed", &e);
	h->due_ms = clock_mono_ms() + HINT_GAP_MS;
}

static void
store_group(struct writer *w, struct db_conn **conn, struct group *g, struct hints *h)
{
	struct err e;
	enum err_code rc = to_database(w, conn, g, &e);

	if (rc == ERR_OK) {
		release_group(g, ERR_OK);
		count_group("database", g->n);
		h->owed = true;
		return;
	}
	if (w->o.spool != NULL)
		rc = spool_write(w->o.spool, g->events, g->n, &e);
	count_group(rc == ERR_OK ? "spool" : "nowhere", g->n);
	if (rc != ERR_OK)
		log_err(LOG_ERROR, "ingest.group_not_stored", &e);
	release_group(g, rc);
}

static void *
run(void *arg)
{
	struct writer *w = arg;
	struct db_conn *conn = NULL;
	struct hints h = { 0 };
	struct group *g = malloc(sizeof *g);

	if (g == NULL)
		abort();
	while (take_group(w, &h, g)) {
		if (g->n > 0)
			store_group(w, &conn, g, &h);
		if (h.owed && clock_mono_ms() >= h.due_ms)
			send_hint(conn, &h);
	}
	if (h.owed)
		send_hint(conn, &h);
	free(g);
	db_close(conn);
	return NULL;
}

enum err_code
writer_start(const struct writer_opts *o, struct writer **out, struct err *e)
{
	struct writer *w = calloc(1, sizeof *w + sizeof w->threads[0] * (size_t)o->threads);

	if (w == NULL)
		abort();
	w->o = *o;
	w->o.group = o->group < GROUP_LIMIT ? o->group : GROUP_LIMIT;
	w->last = &w->first;
	(void)pthread_mutex_init(&w->mu, NULL);
	cond_init(&w->work);
	metric_declare(&waiting, NULL);
	metric_declare(&commit_seconds, NULL);
	metric_declare(&groups_total, "database");
	metric_declare(&grouped_total, "database");
	for (; w->nthreads < o->threads; w->nthreads++)
		if (pthread_create(&w->threads[w->nthreads], NULL, run, w) != 0) {
			writer_stop(w);
			return err_set(e, ERR_UNAVAILABLE, "cannot start a writer thread");
		}
	*out = w;
	return ERR_OK;
}

void
writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->mu);
	w->stopping = true;
	(void)pthread_cond_broadcast(&w->work);
	(void)pthread_mutex_unlock(&w->mu);
	for (int i = 0; i < w->nthreads; i++)
		(void)pthread_join(w->threads[i], NULL);
	(void)pthread_cond_destroy(&w->work);
	(void)pthread_mutex_destroy(&w->mu);
	free(w);
}

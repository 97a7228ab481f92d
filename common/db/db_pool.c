#include "common/db/db_priv.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/log.h"
#include "common/base/metric.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

enum {
	MAX_AGE_MS = 30 * 60 * 1000, /* ±10 %, so that they are not all replaced at once */
	BACKOFF_MIN_MS = 250,
	BACKOFF_MAX_MS = 2000,
	CONNECT_MIN_MS = 100, /* less time left than this is not worth waiting for an attempt */
};

static struct metric CONNECTIONS = METRIC_GAUGE("cti_db_connections",
    "Connections to PostgreSQL in the pools: open, and of those in use.", "state");
static struct metric CONNECT_FAILURES = METRIC_COUNTER("cti_db_connect_failures_total",
    "Attempts of the pools to connect to PostgreSQL that failed.", NULL);

/* Somebody in the queue for a connection, on the stack of who waits. */
struct waiter {
	pthread_cond_t turn; /* first in the queue, and there is one; or there is none to come */
	struct waiter *next;
};

struct db_pool {
	struct db_opts o;
	pthread_mutex_t mu;   /* guards what follows; never held during a libpq call */
	struct waiter *queue; /* who came first is served first: else some wait far too long */
	struct db_conn *idle; /* the one used last on top */
	int open;             /* idle, lent or being opened */
	int lent;
	/* After a failed attempt, one thread at a time tries again, and not before retry_at. */
	int64_t backoff_ms; /* 0: the last attempt succeeded */
	int64_t retry_at;   /* monotonic ms */
	bool trying;
	struct err last; /* of the last failed attempt */
};

enum err_code
db_pool_new(const struct db_opts *o, struct db_pool **out, struct err *e)
{
	struct db_pool *p;
	enum err_code rc = db_url_check(o->url, e);

	if (rc != ERR_OK)
		return rc;
	assert(o->size > 0);
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->o = *o;
	pthread_mutex_init(&p->mu, NULL);
	metric_declare(&CONNECTIONS, "open");
	metric_declare(&CONNECTIONS, "in_use");
	metric_declare(&CONNECT_FAILURES, NULL);
	*out = p;
	return ERR_OK;
}

void
db_pool_free(struct db_pool *p)
{
	if (p == NULL)
		return;
	assert(p->lent == 0);
	while (p->idle != NULL) {
		struct db_conn *c = p->idle;

		p->idle = c->next;
		db_close(c);
		metric_add(&CONNECTIONS, "open", -1);
	}
	pthread_mutex_destroy(&p->mu);
	free(p);
}

static void
wake_first(struct db_pool *p)
{
	if (p->queue != NULL)
		pthread_cond_signal(&p->queue->turn);
}

static void
wake_all(struct db_pool *p)
{
	for (struct waiter *w = p->queue; w != NULL; w = w->next)
		pthread_cond_signal(&w->turn);
}

static void
join_queue(struct db_pool *p, struct waiter *w)
{
	struct waiter **end = &p->queue;

	cond_init(&w->turn);
	w->next = NULL;
	while (*end != NULL)
		end = &(*end)->next;
	*end = w;
}

static void
leave_queue(struct db_pool *p, struct waiter *w)
{
	struct waiter **at = &p->queue;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	pthread_cond_destroy(&w->turn);
}

/* A place for one more connection is free again. */
static void
drop_place(struct db_pool *p)
{
	pthread_mutex_lock(&p->mu);
	p->open--;
	wake_first(p);
	pthread_mutex_unlock(&p->mu);
}

/* Attempts that began together and fail together lengthen the backoff once. */
static void
back_off(struct db_pool *p, bool retry)
{
	if (p->backoff_ms != 0 && !retry)
		return;
	p->backoff_ms = retry ? p->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (p->backoff_ms > BACKOFF_MAX_MS)
		p->backoff_ms = BACKOFF_MAX_MS;
	p->retry_at = clock_mono_ms() + p->backoff_ms;
}

static void
note_attempt(struct db_pool *p, bool retry, enum err_code rc, const struct err *e)
{
	pthread_mutex_lock(&p->mu);
	if (rc == ERR_OK) {
		p->backoff_ms = 0;
	} else {
		p->open--;
		p->last = *e;
		back_off(p, retry);
	}
	if (retry)
		p->trying = false;
	wake_all(p);
	pthread_mutex_unlock(&p->mu);
}

/* Fill a place that is already counted in p->open. */
static enum err_code
open_conn(struct db_pool *p, bool retry, int64_t deadline, struct db_conn **out, struct err *e)
{
	enum err_code rc = db_connect_until(&p->o, deadline, out, e);

	note_attempt(p, retry, rc, e);
	if (rc != ERR_OK) {
		metric_add(&CONNECT_FAILURES, NULL, 1);
		return rc;
	}
	metric_add(&CONNECTIONS, "open", 1);
	(*out)->expires_ms =
	    clock_mono_ms() + MAX_AGE_MS - MAX_AGE_MS / 10 + arc4random_uniform(MAX_AGE_MS / 5);
	return ERR_OK;
}

static void
close_conn(struct db_pool *p, struct db_conn *c)
{
	db_close(c);
	metric_add(&CONNECTIONS, "open", -1);
	drop_place(p);
}

/* What db_pool_get does next; decided under the lock. */
enum step { STEP_LEND, STEP_OPEN, STEP_RETRY, STEP_GIVE_UP };

static bool
may_open(const struct db_pool *p)
{
	if (p->open >= p->o.size)
		return false;
	return p->backoff_ms == 0 || (!p->trying && clock_mono_ms() >= p->retry_at);
}

/* Nothing can change before the deadline: no connection to come back, no attempt due by then. */
static bool
is_hopeless(const struct db_pool *p, int64_t deadline)
{
	return clock_mono_ms() >= deadline
	    || (p->open == 0 && p->retry_at + CONNECT_MIN_MS > deadline);
}

/* Until it is our turn and there is a connection to have, or there will be none in time. */
static void
wait_turn(struct db_pool *p, int64_t deadline)
{
	struct waiter me;

	join_queue(p, &me);
	while (
	    (p->queue != &me || (p->idle == NULL && !may_open(p))) && !is_hopeless(p, deadline)) {
		bool may_retry = p->queue == &me && p->open < p->o.size && !p->trying;

		(void)cond_wait_until(
		    &me.turn, &p->mu, may_retry && p->retry_at < deadline ? p->retry_at : deadline);
	}
	leave_queue(p, &me);
}

static enum step
next_step(struct db_pool *p, int64_t deadline, struct db_conn **c, struct err *e)
{
	enum step step = STEP_GIVE_UP;

	pthread_mutex_lock(&p->mu);
	if (p->queue != NULL || (p->idle == NULL && !may_open(p)))
		wait_turn(p, deadline);
	if (p->idle != NULL) {
		*c = p->idle;
		p->idle = (*c)->next;
		step = STEP_LEND;
	} else if (may_open(p)) {
		p->open++;
		step = p->backoff_ms == 0 ? STEP_OPEN : STEP_RETRY;
		p->trying = step == STEP_RETRY;
	} else if (p->backoff_ms != 0) {
		*e = p->last;
	} else {
		err_set(e, ERR_UNAVAILABLE, "all %d database connections are in use", p->o.size);
	}
	/* Who is first now may have something to take, or the next attempt to wait for. */
	if (p->idle != NULL || may_open(p) || p->backoff_ms != 0)
		wake_first(p);
	pthread_mutex_unlock(&p->mu);
	return step;
}

static bool
is_fit(struct db_conn *c)
{
	return clock_mono_ms() < c->expires_ms && db_seems_alive(c);
}

static void
lend(struct db_pool *p)
{
	pthread_mutex_lock(&p->mu);
	p->lent++;
	pthread_mutex_unlock(&p->mu);
	metric_add(&CONNECTIONS, "in_use", 1);
}

enum err_code
db_pool_get(struct db_pool *p, int64_t wait_ms, struct db_conn **out, struct err *e)
{
	int64_t deadline = clock_mono_ms() + wait_ms;

	for (;;) {
		struct db_conn *c = NULL;
		enum step step = next_step(p, deadline, &c, e);

		if (step == STEP_GIVE_UP)
			return e->code;
		if (step == STEP_LEND && !is_fit(c)) {
			close_conn(p, c);
			continue;
		}
		/* A failed attempt is tried again while the caller's time lasts. */
		if (step != STEP_LEND
		    && open_conn(p, step == STEP_RETRY, deadline, &c, e) != ERR_OK)
			continue;
		lend(p);
		*out = c;
		return ERR_OK;
	}
}

void
db_pool_put(struct db_pool *p, struct db_conn *c)
{
	bool in_tx = c->pg != NULL && PQtransactionStatus(c->pg) != PQTRANS_IDLE;
	bool keep = !in_tx && is_fit(c);

	metric_add(&CONNECTIONS, "in_use", -1);
	/* A mistake of the borrower, who is not there to be told otherwise. */
	if (in_tx)
		log_error("db.put_in_transaction", "connection given back inside a transaction");
	pthread_mutex_lock(&p->mu);
	p->lent--;
	if (keep) {
		c->next = p->idle;
		p->idle = c;
		wake_first(p);
	}
	pthread_mutex_unlock(&p->mu);
	if (!keep)
		close_conn(p, c);
}

#include "ingestd/pulse.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/log.h"

#include <pthread.h>
#include <stdlib.h>

enum { PULSE_MS = 5000, MAX_HOOKS = 64 };

/* What there is to tell. */
struct news {
	int64_t unstored_at; /* monotonic ms of the first refusal; 0: none */
	int nhooks;
	struct {
		struct hook hook;
		int64_t failures;
	} hooks[MAX_HOOKS]; /* beyond that many, further hooks are not told of */
};

struct pulse {
	struct db_opts db;
	struct db_conn *conn;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool stopping;    /* guarded by mu */
	struct news news; /* guarded by mu */
};

static const struct db_stmt PULSE = {
	.name = "ingest_pulse",
	.sql = "SELECT ingest_pulse($1, $2, $3, $4)",
};

/* ---- notes ---- */

void
pulse_note_unstored(struct pulse *p)
{
	(void)pthread_mutex_lock(&p->mu);
	if (p->news.unstored_at == 0)
		p->news.unstored_at = clock_mono_ms();
	(void)pthread_mutex_unlock(&p->mu);
}

static void
add_failures(struct news *n, struct hook hook, int64_t failures)
{
	for (int i = 0; i < n->nhooks; i++)
		if (uuid_eq(n->hooks[i].hook.app_id, hook.app_id)
		    && n->hooks[i].hook.number == hook.number) {
			n->hooks[i].failures += failures;
			return;
		}
	if (n->nhooks == MAX_HOOKS)
		return;
	n->hooks[n->nhooks].hook = hook;
	n->hooks[n->nhooks++].failures = failures;
}

void
pulse_note_forged(struct pulse *p, const struct hook *hook)
{
	if (hook == NULL)
		return;
	(void)pthread_mutex_lock(&p->mu);
	add_failures(&p->news, *hook, 1);
	(void)pthread_mutex_unlock(&p->mu);
}

/* ---- telling ---- */

static struct news
take_news(struct pulse *p)
{
	struct news n;

	(void)pthread_mutex_lock(&p->mu);
	n = p->news;
	p->news = (struct news){ .nhooks = 0 };
	(void)pthread_mutex_unlock(&p->mu);
	return n;
}

static void
put_back(struct pulse *p, const struct news *n)
{
	(void)pthread_mutex_lock(&p->mu);
	if (n->unstored_at != 0)
		p->news.unstored_at = n->unstored_at;
	for (int i = 0; i < n->nhooks; i++)
		add_failures(&p->news, n->hooks[i].hook, n->hooks[i].failures);
	(void)pthread_mutex_unlock(&p->mu);
}

static void
bind(const struct news *n, struct db_params *p)
{
	AUTO_RELEASE(db_array_release) struct db_array apps, numbers, failures;

	db_array_init(&apps, DB_UUID);
	db_array_init(&numbers, DB_I32);
	db_array_init(&failures, DB_I64);
	for (int i = 0; i < n->nhooks; i++) {
		db_array_uuid(&apps, n->hooks[i].hook.app_id);
		db_array_i32(&numbers, n->hooks[i].hook.number);
		db_array_i64(&failures, n->hooks[i].failures);
	}
	db_params_init(p);
	if (n->unstored_at == 0)
		db_p_null(p, DB_I64);
	else
		db_p_i64(p, clock_mono_ms() - n->unstored_at);
	db_p_array(p, &apps);
	db_p_array(p, &numbers);
	db_p_array(p, &failures);
}

static enum err_code
tell(struct pulse *p, const struct news *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params params;
	enum err_code rc = ERR_OK;

	bind(n, &params);
	if (p->conn == NULL)
		rc = db_connect(&p->db, &p->conn, e);
	if (rc == ERR_OK)
		rc = db_exec(p->conn, &PULSE, &params, NULL, e);
	if (p->conn != NULL && db_is_broken(p->conn)) {
		db_close(p->conn);
		p->conn = NULL;
	}
	return rc;
}

/* False: it is to stop. */
static bool
rest(struct pulse *p)
{
	int64_t until = clock_mono_ms() + PULSE_MS;
	bool stopping;

	(void)pthread_mutex_lock(&p->mu);
	while (!p->stopping)
		if (!cond_wait_until(&p->cond, &p->mu, until))
			break;
	stopping = p->stopping;
	(void)pthread_mutex_unlock(&p->mu);
	return !stopping;
}

static void *
run(void *arg)
{
	struct pulse *p = arg;

	do {
		struct news n = take_news(p);
		struct err e;

		if (tell(p, &n, &e) != ERR_OK) {
			log_err(LOG_DEBUG, "ingest.no_pulse", &e);
			put_back(p, &n);
		}
	} while (rest(p));
	db_close(p->conn);
	return NULL;
}

/* ---- life ---- */

static void
pulse_free(struct pulse *p)
{
	(void)pthread_cond_destroy(&p->cond);
	(void)pthread_mutex_destroy(&p->mu);
	free(p);
}

enum err_code
pulse_start(const struct db_opts *db, struct pulse **out, struct err *e)
{
	struct pulse *p = calloc(1, sizeof *p);

	if (p == NULL)
		abort();
	p->db = *db;
	(void)pthread_mutex_init(&p->mu, NULL);
	cond_init(&p->cond);
	if (pthread_create(&p->thread, NULL, run, p) != 0) {
		pulse_free(p);
		return err_set(e, ERR_UNAVAILABLE, "cannot start the thread of the pulse");
	}
	*out = p;
	return ERR_OK;
}

void
pulse_stop(struct pulse *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->mu);
	p->stopping = true;
	(void)pthread_cond_broadcast(&p->cond);
	(void)pthread_mutex_unlock(&p->mu);
	(void)pthread_join(p->thread, NULL);
	pulse_free(p);
}

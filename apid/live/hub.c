#include "apid/live/hub_priv.h"

#include "apid/live/types.h"
#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/log.h"
#include "common/base/metric.h"

#include <sodium.h>

/* Of all places, so many may be taken by sockets that have not shown a key yet. */
enum { STRANGERS_PER_PLACES = 8, RETRY_MS = 500 };

static struct metric subscribers =
    METRIC_GAUGE("cti_live_subscribers", "Open sockets and waiting polls of the feed.", NULL);

/* ---- the registry; with the lock held ---- */

static struct live_tenant **
bucket_of(struct live_hub *h, struct uuid app_id)
{
	unsigned n = (unsigned)app_id.b[14] << 8 | app_id.b[15];
	struct live_tenant **at = &h->buckets[n % LIVE_BUCKETS];

	while (*at != NULL && !uuid_eq((*at)->app_id, app_id))
		at = &(*at)->next_in_bucket;
	return at;
}

struct live_tenant *
live_find_tenant(struct live_hub *h, struct uuid app_id)
{
	return *bucket_of(h, app_id);
}

static struct live_tenant *
tenant_of(struct live_hub *h, struct uuid app_id)
{
	struct live_tenant **at = bucket_of(h, app_id), *t = *at;

	if (t != NULL)
		return t;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		abort();
	t->app_id = app_id;
	*at = t;
	t->next = h->tenants;
	if (t->next != NULL)
		t->next->prev = t;
	h->tenants = t;
	return t;
}

static void
leave_tenant(struct live_hub *h, struct live_tenant *t)
{
	struct live_tenant **at;

	if (--t->count > 0)
		return;
	at = bucket_of(h, t->app_id);
	*at = t->next_in_bucket;
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		h->tenants = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	free(t);
}

static void
list_add(struct live_sub **list, struct live_sub *s)
{
	s->prev = NULL;
	s->next = *list;
	if (s->next != NULL)
		s->next->prev = s;
	*list = s;
}

static void
list_remove(struct live_sub **list, struct live_sub *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		*list = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
}

static struct live_sub **
list_of(struct live_sub *s)
{
	return s->tenant != NULL ? &s->tenant->subs : &s->hub->strangers;
}

enum err_code
live_take_place(struct live_hub *h, struct uuid app_id, struct live_tenant **out, struct err *e)
{
	struct live_tenant *t = tenant_of(h, app_id);

	t->count++;
	if (t->count > h->o.max_per_app) {
		leave_tenant(h, t);
		return err_set(e, ERR_UNAVAILABLE, "this app has %d open sockets and polls here",
		    h->o.max_per_app);
	}
	*out = t;
	return ERR_OK;
}

/* The place in the house that it had as a stranger stays its own. */
enum err_code
live_let_in(struct live_sub *s, const struct live_pass *pass, struct err *e)
{
	struct live_hub *h = s->hub;
	struct live_tenant *t;
	enum err_code rc = live_take_place(h, pass->app_id, &t, e);

	if (rc != ERR_OK)
		return rc;
	list_remove(&h->strangers, s);
	h->waiting--;
	s->pass = *pass;
	s->tenant = t;
	list_add(&t->subs, s);
	return ERR_OK;
}

void
live_end(struct live_sub *s, enum live_end why)
{
	if (s->ended)
		return;
	s->ended = true;
	s->to->end(s, why);
}

/* ---- what subscribers call ---- */

void
live_lock(struct live_hub *h)
{
	(void)pthread_mutex_lock(&h->lock);
}

void
live_unlock(struct live_hub *h)
{
	(void)pthread_mutex_unlock(&h->lock);
}

void
live_wake(struct live_hub *h)
{
	h->woken = true;
	(void)pthread_cond_signal(&h->cond);
}

static enum err_code
take_place(
    struct live_hub *h, const struct live_pass *pass, struct live_tenant **out, struct err *e)
{
	enum err_code rc = ERR_OK;

	*out = NULL;
	if (h->draining)
		return err_set(e, ERR_UNAVAILABLE, "draining");
	if (h->count >= h->o.max)
		return err_set(e, ERR_UNAVAILABLE, "%d sockets and polls are open", h->o.max);
	if (pass->kind != LIVE_BY_NOTHING)
		rc = live_take_place(h, pass->app_id, out, e);
	else if (h->waiting >= h->o.max / STRANGERS_PER_PLACES + 1)
		rc = err_set(e, ERR_UNAVAILABLE, "too many sockets have not shown a key yet");
	else
		h->waiting++;
	if (rc == ERR_OK)
		metric_set(&subscribers, NULL, ++h->count);
	return rc;
}

enum err_code
live_sub_new(struct live_hub *h, const struct live_pass *pass, const struct live_transport *to,
    void *arg, struct live_sub **out, struct err *e)
{
	struct live_tenant *tenant;
	struct live_sub *s;
	enum err_code rc;

	live_lock(h);
	rc = take_place(h, pass, &tenant, e);
	live_unlock(h);
	if (rc != ERR_OK)
		return rc;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		abort();
	*s = (struct live_sub){ .hub = h,
		.to = to,
		.arg = arg,
		.pass = *pass,
		.tenant = tenant,
		.types = LIVE_TYPES_ALL,
		.pos = LIVE_FROM_NOW,
		.owes_ready = true };
	*out = s;
	return ERR_OK;
}

void
live_sub_join(struct live_sub *s)
{
	struct live_hub *h = s->hub;

	live_lock(h);
	s->joined = true;
	list_add(list_of(s), s);
	if (h->draining)
		live_end(s, LIVE_END_RESTART);
	live_wake(h);
	live_unlock(h);
}

void
live_sub_free(struct live_sub *s)
{
	struct live_hub *h = s->hub;

	live_lock(h);
	if (s->joined)
		list_remove(list_of(s), s);
	if (s->tenant != NULL)
		leave_tenant(h, s->tenant);
	else
		h->waiting--;
	metric_set(&subscribers, NULL, --h->count);
	live_unlock(h);
	if (s->api_key != NULL)
		sodium_memzero(s->api_key, strlen(s->api_key));
	free(s->api_key);
	free(s->origin);
	free(s);
}

bool
live_sub_resume(struct live_sub *s, struct str after)
{
	const struct feed_scope scope = { s->hub->o.cursor_keys, s->pass.app_id };

	return feed_cursor_parse(&scope, after, &s->pos);
}

/* ---- its thread ---- */

static void
note_trouble(struct live_hub *h, const struct err *e)
{
	log_err(h->troubled ? LOG_DEBUG : LOG_WARN, "live.round_failed", e);
	h->troubled = true;
	if (h->conn != NULL && db_is_broken(h->conn)) {
		db_close(h->conn);
		h->conn = NULL;
	}
}

/* False when it is to end. */
static bool
wait_for_work(struct live_hub *h, int64_t wait_ms)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	bool going;

	live_lock(h);
	while (!h->stopping && !h->woken)
		if (!cond_wait_until(&h->cond, &h->lock, until_ms))
			break;
	h->woken = false;
	going = !h->stopping;
	live_unlock(h);
	return going;
}

static void *
run(void *arg)
{
	struct live_hub *h = arg;
	int64_t wait_ms = 0;

	while (wait_for_work(h, wait_ms)) {
		struct err e;

		if (live_round(h, &wait_ms, &e) == ERR_OK) {
			h->troubled = false;
		} else {
			note_trouble(h, &e);
			clock_sleep_ms(RETRY_MS); /* hints do not hurry what cannot be done */
			wait_ms = RETRY_MS;
		}
	}
	db_close(h->conn);
	return NULL;
}

void
live_hub_hint(void *hub)
{
	struct live_hub *h = hub;

	live_lock(h);
	live_wake(h);
	live_unlock(h);
}

/* ---- start and stop ---- */

static void
hub_free(struct live_hub *h)
{
	(void)pthread_cond_destroy(&h->cond);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

enum err_code
live_hub_start(const struct live_hub_opts *o, struct live_hub **out, struct err *e)
{
	struct live_hub *h = calloc(1, sizeof *h);

	if (h == NULL)
		abort();
	h->o = *o;
	(void)pthread_mutex_init(&h->lock, NULL);
	cond_init(&h->cond);
	metric_declare(&subscribers, NULL);
	if (pthread_create(&h->thread, NULL, run, h) != 0) {
		hub_free(h);
		return err_set(e, ERR_UNAVAILABLE, "no thread for the change feed");
	}
	*out = h;
	return ERR_OK;
}

void
live_hub_drain(struct live_hub *h)
{
	if (h == NULL)
		return;
	live_lock(h);
	h->draining = true;
	for (struct live_sub *s = h->strangers; s != NULL; s = s->next)
		live_end(s, LIVE_END_RESTART);
	for (struct live_tenant *t = h->tenants; t != NULL; t = t->next)
		for (struct live_sub *s = t->subs; s != NULL; s = s->next)
			live_end(s, LIVE_END_RESTART);
	live_unlock(h);
}

void
live_hub_stop(struct live_hub *h)
{
	if (h == NULL)
		return;
	live_lock(h);
	h->stopping = true;
	(void)pthread_cond_signal(&h->cond);
	live_unlock(h);
	(void)pthread_join(h->thread, NULL);
	hub_free(h);
}

const struct pepper_keys *
live_hub_cursor_keys(const struct live_hub *h)
{
	return h->o.cursor_keys;
}

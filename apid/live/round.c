#include "apid/live/hub_priv.h"

#include "common/base/clock.h"
#include "common/base/metric.h"

enum { PAGE_ROWS = 200, MOST_LAGGING = 32 /* places that are behind, in one round */ };

static struct metric changes_total =
    METRIC_COUNTER("cti_live_changes_total", "Changes read from the feed for subscribers.", NULL);
static struct metric delay_seconds = METRIC_SECONDS("cti_live_delay_seconds",
    "From the transaction of a change to its being handed to the sockets.", NULL);

/* Where one or more subscribers of a tenant stand, while the feed goes on. */
struct place {
	struct uuid app_id;
	int64_t pos;
	bool is_ahead; /* no other subscriber of the tenant is further */
};

struct plan {
	struct place *places;
	int n, room;
	int64_t held_until_ms; /* earliest instant at which somebody may be given more */
};

/* ---- how far the feeds go ---- */

static int
list_tenants(struct live_hub *h, struct db_array *app_ids)
{
	int n = 0;

	live_lock(h);
	for (struct live_tenant *t = h->tenants; t != NULL; t = t->next) {
		t->head_known = false;
		if (t->subs != NULL) {
			db_array_uuid(app_ids, t->app_id);
			n++;
		}
	}
	live_unlock(h);
	return n;
}

/* With the lock held. */
static void
take_heads(struct live_hub *h, const struct db_result *r)
{
	for (int i = 0; i < db_rows(r); i++) {
		struct live_tenant *t = live_find_tenant(h, db_uuid(r, i, FEED_APP_ID));

		if (t == NULL)
			continue;
		t->head = db_i64(r, i, FEED_LAST_SEQ);
		t->head_known = true;
	}
}

/* With the lock held: newcomers begin at the head, and everybody who waits for it is told where. */
static void
greet(struct live_tenant *t)
{
	for (struct live_sub *s = t->subs; s != NULL; s = s->next) {
		if (s->pos == LIVE_FROM_NOW)
			s->pos = t->head;
		if (s->owes_ready && !s->ended && s->to->ready != NULL)
			s->to->ready(s);
		s->owes_ready = false;
	}
}

/* ---- who is to be given something ---- */

/* Nothing comes between a subscribe and the `ready` that answers it: a client passes over what it is
 * sent before. */
static bool
may_be_given(const struct live_sub *s, const struct live_tenant *t, int64_t now_ms)
{
	return !s->ended && !s->owes_ready && !s->is_filled && s->pos != t->head
	    && now_ms >= s->held_until_ms;
}

static struct place *
find_place(const struct plan *p, int first, int64_t pos)
{
	for (int i = first; i < p->n; i++)
		if (p->places[i].pos == pos)
			return &p->places[i];
	return NULL;
}

static void
add_place(struct plan *p, struct uuid app_id, int64_t pos)
{
	if (p->n == p->room) {
		p->room = p->room * 2 + 16;
		p->places = reallocarray(p->places, (size_t)p->room, sizeof *p->places);
		if (p->places == NULL)
			abort();
	}
	p->places[p->n++] = (struct place){ .app_id = app_id, .pos = pos };
}

static void
plan_tenant(struct plan *p, const struct live_tenant *t, int64_t now_ms)
{
	int first = p->n;
	int64_t furthest = -1;

	for (const struct live_sub *s = t->subs; s != NULL; s = s->next) {
		if (!s->ended && s->held_until_ms > now_ms && s->held_until_ms < p->held_until_ms)
			p->held_until_ms = s->held_until_ms;
		if (!may_be_given(s, t, now_ms))
			continue;
		if (find_place(p, first, s->pos) == NULL)
			add_place(p, t->app_id, s->pos);
		furthest = s->pos > furthest ? s->pos : furthest;
	}
	if (furthest >= 0)
		find_place(p, first, furthest)->is_ahead = true;
}

static enum err_code
make_plan(struct live_hub *h, struct plan *p, struct err *e)
{
	AUTO_RELEASE(db_array_release) struct db_array app_ids;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	int64_t now_ms;
	enum err_code rc;

	db_array_init(&app_ids, DB_UUID);
	if (list_tenants(h, &app_ids) == 0)
		return ERR_OK;
	rc = feed_read_heads(h->conn, &app_ids, &r, e);
	if (rc != ERR_OK)
		return rc;
	now_ms = clock_mono_ms();
	live_lock(h);
	take_heads(h, &r);
	for (struct live_tenant *t = h->tenants; t != NULL; t = t->next)
		if (t->head_known) {
			greet(t);
			plan_tenant(p, t, now_ms);
		}
	live_unlock(h);
	return ERR_OK;
}

/* ---- giving ---- */

static void
give(struct live_hub *h, const struct place *where, struct feed_page *page)
{
	int64_t now_ms = clock_mono_ms();
	struct live_tenant *t;

	live_lock(h);
	t = live_find_tenant(h, where->app_id);
	for (struct live_sub *s = t == NULL ? NULL : t->subs; s != NULL; s = s->next) {
		/* Some may have asked for another place meanwhile. */
		if (s->pos != where->pos || !may_be_given(s, t, now_ms))
			continue;
		if (page->has_gap) {
			s->pos = page->head;
			s->to->resync(s);
		} else {
			s->to->rows(s, page);
		}
	}
	live_unlock(h);
}

static void
note_delay(const struct feed_page *page)
{
	int64_t now_ms = clock_wall_ms();

	metric_add(&changes_total, NULL, page->n);
	for (int i = 0; i < page->n; i++)
		metric_observe_us(&delay_seconds, NULL, (now_ms - page->rows[i].at_ms) * 1000);
}

static enum err_code
serve_place(struct live_hub *h, const struct place *where, bool *more, struct err *e)
{
	AUTO_RELEASE(feed_page_release) struct feed_page page = { .n = 0 };
	enum err_code rc = feed_read(h->conn, where->app_id, where->pos, PAGE_ROWS, &page, e);

	if (rc != ERR_OK)
		return rc;
	if (where->is_ahead)
		note_delay(&page);
	give(h, where, &page);
	*more = *more || page.has_more;
	return ERR_OK;
}

/* First those who are up to date, then some of those who resume from long ago. */
static enum err_code
serve(struct live_hub *h, const struct plan *p, bool *more, struct err *e)
{
	enum err_code rc = ERR_OK;
	int lagging = 0;

	for (int i = 0; i < p->n && rc == ERR_OK; i++)
		if (p->places[i].is_ahead)
			rc = serve_place(h, &p->places[i], more, e);
	for (int i = 0; i < p->n && rc == ERR_OK; i++) {
		if (p->places[i].is_ahead)
			continue;
		if (++lagging > MOST_LAGGING) {
			*more = true;
			break;
		}
		rc = serve_place(h, &p->places[i], more, e);
	}
	return rc;
}

/* ---- the round ---- */

static int64_t
time_to_wait(const struct live_hub *h, const struct plan *p, bool more)
{
	int64_t now_ms = clock_mono_ms(), wait_ms = LIVE_POLL_MS;

	if (more)
		return 0;
	if (h->recheck_ms - now_ms < wait_ms)
		wait_ms = h->recheck_ms - now_ms;
	if (p->held_until_ms - now_ms < wait_ms)
		wait_ms = p->held_until_ms - now_ms;
	return wait_ms > 0 ? wait_ms : 0;
}

static enum err_code
check_people(struct live_hub *h, bool *more, struct err *e)
{
	enum err_code rc = live_admit_strangers(h, more, e);

	if (rc != ERR_OK || clock_mono_ms() < h->recheck_ms)
		return rc;
	rc = live_recheck(h, e);
	if (rc == ERR_OK)
		h->recheck_ms = clock_mono_ms() + LIVE_RECHECK_MS;
	return rc;
}

enum err_code
live_round(struct live_hub *h, int64_t *wait_ms, struct err *e)
{
	struct plan p = { .held_until_ms = INT64_MAX };
	bool more = false;
	enum err_code rc = h->conn == NULL ? db_connect(&h->o.db, &h->conn, e) : ERR_OK;

	if (rc == ERR_OK)
		rc = check_people(h, &more, e);
	if (rc == ERR_OK)
		rc = make_plan(h, &p, e);
	if (rc == ERR_OK)
		rc = serve(h, &p, &more, e);
	if (rc == ERR_OK)
		*wait_ms = time_to_wait(h, &p, more);
	free(p.places);
	return rc;
}

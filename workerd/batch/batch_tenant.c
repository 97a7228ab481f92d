#include "workerd/batch/batch_tenant.h"

#include "common/base/log.h"
#include "workerd/batch/batch_crash.h"
#include "workerd/batch/voicemail_set.h"

struct work {
	const struct batch *b;
	struct fold_change *changes;
	struct queue_event *done; /* to be removed from the queue */
	int nchanges, ndone;
	struct feed_list feed;
	struct db_result retired;
};

/* ---- events to changes ---- */

static enum err_code
set_aside(struct work *w, const struct queue_event *ev, const char *why, struct err *e)
{
	struct queue_event failed = *ev;
	char id[UUID_TEXT_BYTES];
	bool dead;
	enum err_code rc;

	failed.attempts += w->b->alone ? 0 : 1;
	rc = queue_set_aside(
	    w->b->conn, w->b->tenant->app_id, &failed, w->b->opts->max_attempts, why, &dead, e);
	if (rc != ERR_OK)
		return rc;
	w->b->report->set_aside++;
	log_warn(dead ? "event.dead" : "event.set_aside", "event=%s attempts=%d: %s",
	    uuid_format(ev->id, id), failed.attempts, why);
	return ERR_OK;
}

/* It will never become a record; why, stands in event_outcomes. */
static enum err_code
give_up(struct work *w, const struct queue_event *ev, const char *verdict, const char *why,
    struct err *e)
{
	enum err_code rc = queue_outcome(w->b->conn, w->b->tenant->app_id, ev, verdict, why, e);

	if (rc == ERR_OK) {
		w->done[w->ndone++] = *ev;
		w->b->report->set_aside++;
	}
	return rc;
}

/* Its day was archived or dropped, or its payload erased. An outcome would have no place either:
 * it belongs to the partition of that day. */
static enum err_code
forget(struct work *w, const struct queue_event *ev)
{
	char id[UUID_TEXT_BYTES];

	log_warn("event.not_in_log", "event=%s: no longer in the log", uuid_format(ev->id, id));
	w->done[w->ndone++] = *ev;
	w->b->report->set_aside++;
	return ERR_OK;
}

/* Before the event came to us: for how long it lay in a spool does not matter. */
static bool
hook_was_retired(const struct work *w, const struct queue_event *ev)
{
	for (int i = 0; i < db_rows(&w->retired); i++)
		if (db_i64(&w->retired, i, 0) == ev->hook
		    && db_time(&w->retired, i, 1) < ev->arrived_at)
			return true;
	return false;
}

static enum err_code
read_event(struct work *w, const struct queue_event *ev, struct err *e)
{
	struct fold_change *change = &w->changes[w->nchanges];
	struct err bad;
	enum err_code rc;

	if (ev->payload.p == NULL && !ev->is_raw)
		return forget(w, ev);
	if (hook_was_retired(w, ev))
		return give_up(w, ev, "retired_hook", "its hook was retired before it came", e);
	if (ev->is_raw)
		return give_up(w, ev, "quarantined",
		    "the claims are no JSON object that PostgreSQL can store", e);
	batch_crash_if_asked(ev->payload);
	rc = fold_read_from(ev->origin, ev->payload, ev->received_at, w->b->arena, change, &bad);
	if (rc != ERR_OK)
		return set_aside(w, ev, bad.msg, e);
	if (change->kind != NULL)
		w->nchanges++;
	w->done[w->ndone++] = *ev;
	return ERR_OK;
}

/* ---- changes to records ---- */

static enum err_code
write_voicemails(struct work *w, const struct record_set *calls, struct err *e)
{
	AUTO_RELEASE(record_set_release) struct record_set s = { 0 };
	struct uuid app_id = w->b->tenant->app_id;
	enum err_code rc = voicemail_set_load(w->b->conn, app_id, calls, w->b->arena, &s, e);

	return rc != ERR_OK ? rc
			    : record_set_save(w->b->conn, app_id, &s, w->b->arena, &w->feed, e);
}

static enum err_code
write_kind(struct work *w, const struct record_kind *kind, struct err *e)
{
	AUTO_RELEASE(record_set_release) struct record_set s = { 0 };
	int64_t *ids = arena_new(w->b->arena, int64_t, (size_t)w->nchanges + 1);
	int n = 0;
	enum err_code rc;

	for (int i = 0; i < w->nchanges; i++)
		if (w->changes[i].kind == kind)
			ids[n++] = w->changes[i].dialpad_id;
	if (n == 0)
		return ERR_OK;
	rc = record_set_load(w->b->conn, w->b->tenant->app_id, kind, ids, n, w->b->arena, &s, e);
	if (rc != ERR_OK)
		return rc;
	record_set_fold(&s, w->changes, w->nchanges, w->b->arena);
	rc = record_set_save(w->b->conn, w->b->tenant->app_id, &s, w->b->arena, &w->feed, e);
	if (rc == ERR_OK && kind == &RECORD_CALL)
		rc = write_voicemails(w, &s, e);
	return rc;
}

static enum err_code
finish(struct work *w, struct err *e)
{
	struct uuid app_id = w->b->tenant->app_id;
	enum err_code rc = feed_append(w->b->conn, app_id, w->feed.items, w->feed.n, e);

	if (rc == ERR_OK)
		rc = tenant_served(w->b->conn, app_id, w->feed.n, w->b->alone, e);
	if (rc == ERR_OK)
		rc = queue_remove(w->b->conn, app_id, w->done, w->ndone, e);
	w->b->report->changes = w->feed.n;
	return rc;
}

static const struct db_stmt RETIRED_HOOKS = {
	.name = "retired_hooks",
	.sql =
	    "SELECT hook, retired_at FROM dialpad_webhooks WHERE app_id = $1 AND retired_at <= now()",
};

static enum err_code
load_retired_hooks(struct work *w, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, w->b->tenant->app_id);
	return db_exec(w->b->conn, &RETIRED_HOOKS, &p, &w->retired, e);
}

static enum err_code
work(struct work *w, struct err *e)
{
	enum err_code rc = w->b->tenant->has_retired ? load_retired_hooks(w, e) : ERR_OK;

	for (int i = 0; i < w->b->nevents && rc == ERR_OK; i++)
		rc = read_event(w, &w->b->events[i], e);
	if (rc == ERR_OK)
		rc = write_kind(w, &RECORD_CALL, e);
	if (rc == ERR_OK)
		rc = write_kind(w, &RECORD_MESSAGE, e);
	return rc == ERR_OK ? finish(w, e) : rc;
}

enum err_code
batch_tenant(const struct batch *b, struct err *e)
{
	size_t room = (size_t)b->nevents + 1;
	struct work w = { .b = b };
	enum err_code rc;

	w.changes = arena_new(b->arena, struct fold_change, room);
	w.done = arena_new(b->arena, struct queue_event, room);
	/* A call can bring a voicemail along. */
	w.feed.items = arena_new(b->arena, struct feed_item, 2 * room);
	rc = work(&w, e);
	db_result_clear(&w.retired);
	return rc;
}

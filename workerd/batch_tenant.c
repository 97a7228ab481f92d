#include "workerd/batch_tenant.h"

#include "common/base/log.h"
#include "workerd/record_set.h"

/* Everything of one batch, so that its steps can be read one by one. */
struct work {
	struct db_conn *conn;
	const struct batch_opts *opts;
	struct batch_report *report;
	struct arena *arena;
	struct fold_change *changes;
	struct queue_event *done; /* to be removed from the queue */
	int nchanges, ndone;
	struct feed_list feed;
};

/* ---- events to changes ---- */

static enum err_code
set_aside(struct work *w, const struct queue_event *ev, const char *why, struct err *e)
{
	char id[UUID_TEXT_BYTES];
	bool dead;
	enum err_code rc =
	    queue_set_aside(w->conn, w->report->app_id, ev, w->opts->max_attempts, why, &dead, e);

	if (rc != ERR_OK)
		return rc;
	w->report->set_aside++;
	log_warn(dead ? "event.dead" : "event.set_aside", "event=%s attempts=%d: %s",
	    uuid_format(ev->id, id), ev->attempts + 1, why);
	return ERR_OK;
}

/* What the log holds as bytes is no JSON; what it no longer holds cannot be folded. */
static enum err_code
without_payload(struct work *w, const struct queue_event *ev, struct err *e)
{
	char id[UUID_TEXT_BYTES];
	enum err_code rc = ERR_OK;

	if (ev->payload_raw.p == NULL)
		log_error(
		    "event.lost", "event=%s is no longer in the log", uuid_format(ev->id, id));
	else
		rc = queue_outcome(w->conn, w->report->app_id, ev, "quarantined",
		    "the claims are no JSON object that PostgreSQL can store", e);
	if (rc == ERR_OK) {
		w->done[w->ndone++] = *ev;
		w->report->set_aside++;
	}
	return rc;
}

static enum err_code
read_event(struct work *w, const struct queue_event *ev, struct err *e)
{
	struct fold_change *change = &w->changes[w->nchanges];
	struct err bad;

	if (ev->payload.p == NULL)
		return without_payload(w, ev, e);
	if (fold_read(ev->payload, ev->received_at, w->arena, change, &bad) != ERR_OK)
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
	struct record *now = arena_new(w->arena, struct record, (size_t)calls->n + 1);
	int64_t *ids = arena_new(w->arena, int64_t, (size_t)calls->n + 1);
	int n = 0;
	enum err_code rc;

	for (int i = 0; i < calls->n; i++)
		if (fold_voicemail(&calls->rows[i], &now[n])) {
			ids[n] = now[n].dialpad_id;
			n++;
		}
	if (n == 0)
		return ERR_OK;
	rc =
	    record_set_load(w->conn, w->report->app_id, &RECORD_VOICEMAIL, ids, n, w->arena, &s, e);
	if (rc != ERR_OK)
		return rc;
	/* Both are sorted by call id. */
	for (int i = 0; i < n; i++) {
		if (s.loaded[i])
			now[i].v[VOICEMAIL_created_at] = s.before[i].v[VOICEMAIL_created_at];
		now[i].id = s.rows[i].r.id;
		s.rows[i].r = now[i];
	}
	return record_set_save(w->conn, w->report->app_id, &s, w->arena, &w->feed, e);
}

static enum err_code
write_kind(struct work *w, const struct record_kind *kind, struct err *e)
{
	AUTO_RELEASE(record_set_release) struct record_set s = { 0 };
	int64_t *ids = arena_new(w->arena, int64_t, (size_t)w->nchanges + 1);
	int n = 0;
	enum err_code rc;

	for (int i = 0; i < w->nchanges; i++)
		if (w->changes[i].kind == kind)
			ids[n++] = w->changes[i].dialpad_id;
	if (n == 0)
		return ERR_OK;
	rc = record_set_load(w->conn, w->report->app_id, kind, ids, n, w->arena, &s, e);
	if (rc != ERR_OK)
		return rc;
	record_set_fold(&s, w->changes, w->nchanges, w->arena);
	rc = record_set_save(w->conn, w->report->app_id, &s, w->arena, &w->feed, e);
	if (rc == ERR_OK && kind == &RECORD_CALL)
		rc = write_voicemails(w, &s, e);
	return rc;
}

static enum err_code
finish(struct work *w, struct err *e)
{
	int64_t last_seq = 0;
	enum err_code rc = queue_served(w->conn, w->report->app_id, w->feed.n, &last_seq, e);

	if (rc == ERR_OK)
		rc = feed_append(w->conn, w->report->app_id, last_seq, w->feed.items, w->feed.n, e);
	if (rc == ERR_OK)
		rc = queue_remove(w->conn, w->report->app_id, w->done, w->ndone, e);
	w->report->changes = w->feed.n;
	return rc;
}

enum err_code
batch_tenant(struct db_conn *c, const struct batch_opts *o, const struct queue_event *events, int n,
    struct arena *a, struct batch_report *out, struct err *e)
{
	struct work w = { .conn = c, .opts = o, .report = out, .arena = a };
	enum err_code rc = ERR_OK;

	w.changes = arena_new(a, struct fold_change, (size_t)n + 1);
	w.done = arena_new(a, struct queue_event, (size_t)n + 1);
	/* A call can bring a voicemail along. */
	w.feed.items = arena_new(a, struct feed_item, 2 * (size_t)n + 1);
	for (int i = 0; i < n && rc == ERR_OK; i++)
		rc = read_event(&w, &events[i], e);
	if (rc == ERR_OK)
		rc = write_kind(&w, &RECORD_CALL, e);
	if (rc == ERR_OK)
		rc = write_kind(&w, &RECORD_MESSAGE, e);
	return rc == ERR_OK ? finish(&w, e) : rc;
}

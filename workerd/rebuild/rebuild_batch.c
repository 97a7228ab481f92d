#include "workerd/rebuild/rebuild_batch.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "workerd/batch/tenant_db.h"
#include "workerd/batch/voicemail_set.h"
#include "workerd/rebuild/rebuild_set.h"

enum { TURN_PAUSE_MS = 20 };

struct work {
	struct db_conn *conn;
	const struct rebuild_opts *opts;
	struct arena *arena;
	struct rebuild_report *report;
	struct fold_change *changes;
	int nchanges;
	struct feed_list feed;
};

/* ---- events to changes ---- */

static enum err_code
read_event(struct work *w, const struct rebuild_event *ev, struct err *e)
{
	struct fold_change *change = &w->changes[w->nchanges];
	char id[UUID_TEXT_BYTES];
	struct err bad;
	enum err_code rc =
	    fold_read_from(ev->origin, ev->payload, ev->received_at, w->arena, change, &bad);

	if (rc != ERR_OK)
		return err_set(e, ERR_INVALID, "event %s cannot be folded: %s",
		    uuid_format(ev->id, id), bad.msg);
	if (change->kind != NULL)
		w->nchanges++;
	return ERR_OK;
}

static enum err_code
read_events(struct work *w, const struct str *ids, int n, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = rebuild_events(w->conn, w->opts->app_id, ids, n, &r, e);

	if (rc != ERR_OK)
		return rc;
	w->changes = arena_new(w->arena, struct fold_change, (size_t)db_rows(&r) + 1);
	/* A call can bring a voicemail along. */
	w->feed.items = arena_new(w->arena, struct feed_item, 2 * (size_t)db_rows(&r) + 1);
	for (int i = 0; i < db_rows(&r) && rc == ERR_OK; i++) {
		struct rebuild_event ev;

		rebuild_event_read(&r, i, &ev);
		rc = read_event(w, &ev, e);
	}
	return rc;
}

/* ---- changes to records ---- */

static enum err_code
save(struct work *w, struct rebuild_set *r, struct err *e)
{
	rebuild_set_compare(r, w->opts->records_from, w->arena, w->report);
	if (w->opts->dry_run)
		return ERR_OK;
	return record_set_save(w->conn, w->opts->app_id, r->s, w->arena, &w->feed, e);
}

static enum err_code
rebuild_voicemails(struct work *w, const struct record_set *calls, struct err *e)
{
	AUTO_RELEASE(record_set_release) struct record_set s = { 0 };
	struct rebuild_set r;
	enum err_code rc = voicemail_set_load(w->conn, w->opts->app_id, calls, w->arena, &s, e);

	if (rc != ERR_OK)
		return rc;
	rebuild_set_as_is(&s, w->arena, &r);
	return save(w, &r, e);
}

static enum err_code
rebuild_kind(struct work *w, const struct record_kind *kind, struct err *e)
{
	AUTO_RELEASE(record_set_release) struct record_set s = { 0 };
	struct rebuild_set r;
	int64_t *ids = arena_new(w->arena, int64_t, (size_t)w->nchanges + 1);
	int n = 0;
	enum err_code rc;

	for (int i = 0; i < w->nchanges; i++)
		if (w->changes[i].kind == kind)
			ids[n++] = w->changes[i].dialpad_id;
	rc = record_set_load(w->conn, w->opts->app_id, kind, ids, n, w->arena, &s, e);
	if (rc != ERR_OK)
		return rc;
	rebuild_set_fold(&s, w->changes, w->nchanges, w->arena, &r);
	/* Before the calls that are the same leave the set: their voicemails may not be. */
	if (kind == &RECORD_CALL)
		rc = rebuild_voicemails(w, &s, e);
	return rc != ERR_OK ? rc : save(w, &r, e);
}

static enum err_code
rebuild_records(struct work *w, const struct str *ids, int n, struct err *e)
{
	enum err_code rc = read_events(w, ids, n, e);

	if (rc == ERR_OK)
		rc = rebuild_kind(w, &RECORD_CALL, e);
	if (rc == ERR_OK)
		rc = rebuild_kind(w, &RECORD_MESSAGE, e);
	return rc;
}

/* ---- a dry run's transaction ---- */

static enum err_code
look(struct work *w, const struct str *ids, int n, struct err *e)
{
	enum err_code rc = db_begin(w->conn, e);

	if (rc == ERR_OK)
		rc = db_command(
		    w->conn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", e);
	if (rc == ERR_OK)
		rc = rebuild_records(w, ids, n, e);
	db_rollback(w->conn);
	return rc;
}

/* ---- a rebuild's transaction ---- */

static enum err_code
write_locked(struct work *w, const struct str *ids, int n, bool keep_mark, struct err *e)
{
	struct uuid app_id = w->opts->app_id;
	enum err_code rc = rebuild_records(w, ids, n, e);

	if (rc == ERR_OK)
		rc = feed_append(w->conn, app_id, w->feed.items, w->feed.n, e);
	if (rc == ERR_OK)
		rc = tenant_served(w->conn, app_id, w->feed.n, keep_mark, e);
	w->report->changes += w->feed.n;
	return rc;
}

/* `locked` is false when somebody was quicker: nothing was done. */
static enum err_code
write_once(
    struct work *w, const struct str *ids, int n, bool keep_mark, bool *locked, struct err *e)
{
	enum err_code rc = db_begin(w->conn, e);

	*locked = false;
	if (rc == ERR_OK)
		rc = tenant_lock(w->conn, w->opts->app_id, locked, e);
	if (rc == ERR_OK && *locked)
		rc = write_locked(w, ids, n, keep_mark, e);
	if (rc == ERR_OK && *locked)
		rc = db_commit(w->conn, e);
	if (rc != ERR_OK || !*locked)
		db_rollback_later(w->conn);
	return rc;
}

/* Until the tenant is ours. A batch that lasts longer than PostgreSQL lets us wait is waited for
 * again. */
static enum err_code
wait_turn(struct db_conn *c, struct uuid app_id, struct tenant *t, struct err *e)
{
	for (;;) {
		bool found = false;
		enum err_code rc = tenant_claim_one(c, app_id, true, t, &found, e);
		bool lasts = rc == ERR_UNAVAILABLE && strcmp(e->sqlstate, "55P03") == 0;

		if (found || (rc != ERR_OK && !lasts))
			return rc;
		clock_sleep_ms(TURN_PAUSE_MS);
	}
}

/* The mark says "no worker survives this"; we do, so take it back, together with the lock: a worker that
 * finds an old mark without its lock believes in a death. */
static void
release(struct work *w, const struct tenant *t)
{
	struct err e;

	if (t->died)
		db_rollback(w->conn);
	else if (!db_is_broken(w->conn) && tenant_release(w->conn, t->app_id, &e) != ERR_OK)
		log_err(LOG_DEBUG, "tenant.not_released", &e);
}

static enum err_code
write_in_turn(struct work *w, const struct str *ids, int n, struct err *e)
{
	struct tenant t;
	bool locked = false;
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && !locked) {
		rc = wait_turn(w->conn, w->opts->app_id, &t, e);
		if (rc != ERR_OK)
			return rc;
		rc = write_once(w, ids, n, t.died, &locked, e);
		if (rc != ERR_OK || !locked)
			release(w, &t);
	}
	return rc;
}

enum err_code
rebuild_batch(struct db_conn *c, const struct rebuild_opts *o, const struct str *ids, int n,
    struct rebuild_report *report, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct rebuild_report after = *report;
	struct work w = { .conn = c, .opts = o, .arena = &a, .report = &after };
	enum err_code rc;

	arena_init(&a);
	rc = o->dry_run ? look(&w, ids, n, e) : write_in_turn(&w, ids, n, e);
	if (rc == ERR_OK)
		*report = after;
	return rc;
}

#include "workerd/batch.h"

#include "common/base/log.h"
#include "workerd/batch_tenant.h"
#include "workerd/batch_unclaimed.h"
#include "workerd/queue_db.h"

/* One batch on its way through its steps. */
struct run {
	struct db_conn *conn;
	const struct batch_opts *opts;
	const struct tenant *tenant;
	const struct uuid *only; /* NULL, or the one event that is handled alone */
	struct batch_report *report;
};

bool
batch_is_refused(enum err_code code)
{
	return code == ERR_INVALID || code == ERR_CONFLICT;
}

/* The events of a result, in memory that lives until the batch ends. */
static struct queue_event *
read_events(const struct db_result *r, struct arena *a)
{
	struct queue_event *events = arena_new(a, struct queue_event, (size_t)db_rows(r) + 1);

	for (int i = 0; i < db_rows(r); i++)
		queue_event_read(r, i, &events[i]);
	return events;
}

static enum err_code
handle_events(const struct run *run, struct arena *a, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id = run->tenant->app_id;
	enum err_code rc = queue_take(run->conn, app_id, run->opts->limit, run->only, &r, e);
	struct batch b = {
		.conn = run->conn,
		.opts = run->opts,
		.tenant = run->tenant,
		.alone = run->only != NULL,
		.report = run->report,
		.arena = a,
	};

	if (rc != ERR_OK)
		return rc;
	b.events = read_events(&r, a);
	b.nevents = run->report->events = db_rows(&r);
	run->report->oldest_at = b.nevents > 0 ? b.events[0].received_at : 0;
	return uuid_eq(app_id, UUID_NIL) ? batch_unclaimed(&b, e) : batch_tenant(&b, e);
}

static enum err_code
run_locked(const struct run *run, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena a;
	bool locked;
	enum err_code rc = tenant_lock(run->conn, run->tenant->app_id, &locked, e);

	arena_init(&a);
	if (rc != ERR_OK)
		return rc;
	run->report->was_busy = !locked;
	return locked ? handle_events(run, &a, e) : ERR_OK;
}

static enum err_code
run_in_transaction(const struct run *run, struct err *e)
{
	enum err_code rc = db_begin(run->conn, e);

	*run->report = (struct batch_report){ 0 };
	if (rc == ERR_OK)
		rc = run_locked(run, e);
	if (rc == ERR_OK)
		rc = db_commit(run->conn, e);
	if (rc != ERR_OK)
		db_rollback(run->conn);
	return rc;
}

enum err_code
batch_run(struct db_conn *c, const struct batch_opts *o, const struct tenant *t,
    struct batch_report *out, struct err *e)
{
	return run_in_transaction(&(struct run){ c, o, t, NULL, out }, e);
}

/* ---- alone ---- */

static enum err_code
set_aside(const struct run *run, const struct queue_event *ev, int max_attempts, const char *why,
    bool *dead, struct err *e)
{
	enum err_code rc = db_begin(run->conn, e);

	if (rc == ERR_OK)
		rc = queue_set_aside(run->conn, run->tenant->app_id, ev, max_attempts, why, dead, e);
	if (rc == ERR_OK)
		rc = db_commit(run->conn, e);
	if (rc != ERR_OK)
		db_rollback(run->conn);
	return rc;
}

/* Take the oldest due event and count the attempt that is about to be made. An event whose attempts
 * are used up is dead: nothing that was tried with it ended. */
static enum err_code
count_beforehand(const struct run *run, struct queue_event *ev, bool *any, bool *dead, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = queue_take(run->conn, run->tenant->app_id, 1, NULL, &r, e);
	int max_attempts = run->opts->max_attempts;

	if (rc != ERR_OK)
		return rc;
	*any = db_rows(&r) == 1;
	if (!*any)
		return ERR_OK;
	queue_event_read(&r, 0, ev);
	ev->payload = ev->payload_raw = STR_NONE; /* they go with the result */
	if (ev->attempts < max_attempts) {
		ev->attempts++;
		max_attempts = INT32_MAX; /* the last attempt is still to be made */
	}
	return set_aside(run, ev, max_attempts, "the worker did not survive this event", dead, e);
}

static void
log_set_aside(const struct queue_event *ev, bool dead, const char *why)
{
	char id[UUID_TEXT_BYTES];

	log_warn(dead ? "event.dead" : "event.set_aside", "event=%s attempts=%d: %s",
	    uuid_format(ev->id, id), ev->attempts, why);
}

enum err_code
batch_alone(struct db_conn *c, const struct batch_opts *o, const struct tenant *t,
    struct batch_report *out, struct err *e)
{
	struct queue_event ev;
	struct run run = { c, o, t, NULL, out };
	bool any, dead;
	struct err refused;
	enum err_code rc;

	*out = (struct batch_report){ 0 };
	rc = count_beforehand(&run, &ev, &any, &dead, e);
	if (rc != ERR_OK || !any)
		return rc;
	if (dead) {
		log_set_aside(&ev, true, "it killed its worker each time");
		*out = (struct batch_report){ .events = 1, .set_aside = 1 };
		return ERR_OK;
	}
	run.only = &ev.id;
	rc = run_in_transaction(&run, &refused);
	if (rc == ERR_OK)
		return ERR_OK;
	if (!batch_is_refused(rc)) {
		*e = refused;
		return rc;
	}
	rc = set_aside(&run, &ev, o->max_attempts, refused.msg, &dead, e);
	if (rc == ERR_OK) {
		out->set_aside = 1;
		log_set_aside(&ev, dead, refused.msg);
	}
	return rc;
}

#include "workerd/batch/batch.h"

#include "common/base/log.h"
#include "workerd/batch/batch_tenant.h"
#include "workerd/batch/batch_unclaimed.h"
#include "workerd/batch/queue_db.h"

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
	return code == ERR_INVALID || code == ERR_CONFLICT || code == ERR_TOO_LARGE;
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
handle_events(const struct run *run, const struct db_result *taken, struct arena *a, struct err *e)
{
	struct batch b = {
		.conn = run->conn,
		.opts = run->opts,
		.tenant = run->tenant,
		.alone = run->only != NULL,
		.report = run->report,
		.arena = a,
	};

	b.events = read_events(taken, a);
	b.nevents = run->report->events = db_rows(taken);
	run->report->oldest_at = b.nevents > 0 ? b.events[0].received_at : 0;
	return uuid_eq(run->tenant->app_id, UUID_NIL) ? batch_unclaimed(&b, e)
						      : batch_tenant(&b, e);
}

static enum err_code
take_events(const struct run *run, struct db_result *r, struct err *e)
{
	struct uuid app_id = run->tenant->app_id;

	return run->only != NULL
	    ? queue_take_one(run->conn, app_id, *run->only, r, e)
	    : queue_take(run->conn, app_id, run->opts->limit, run->opts->bytes, r, e);
}

/* Lock and events come in one answer. Without the lock the events are somebody else's. */
static enum err_code
run_locked(const struct run *run, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result lock = DB_RESULT_NONE;
	AUTO_RELEASE(db_result_clear) struct db_result taken = DB_RESULT_NONE;
	AUTO_RELEASE(arena_release) struct arena a;
	enum err_code rc = tenant_lock_later(run->conn, run->tenant->app_id, &lock, e);

	arena_init(&a);
	if (rc == ERR_OK)
		rc = take_events(run, &taken, e);
	if (rc != ERR_OK)
		return rc;
	run->report->was_busy = db_rows(&lock) == 0;
	return run->report->was_busy ? ERR_OK : handle_events(run, &taken, &a, e);
}

/* Clients hear of a change at once. */
static enum err_code
commit(const struct run *run, struct err *e)
{
	return run->report->changes > 0 ? db_commit_notify(run->conn, "cti_feed", e)
					: db_commit(run->conn, e);
}

static enum err_code
run_in_transaction(const struct run *run, struct err *e)
{
	enum err_code rc = db_begin(run->conn, e);

	*run->report = (struct batch_report){ 0 };
	if (rc == ERR_OK)
		rc = run_locked(run, e);
	if (rc == ERR_OK)
		rc = commit(run, e);
	if (rc != ERR_OK)
		db_rollback_later(run->conn);
	return rc;
}

enum err_code
batch_run(struct db_conn *c, const struct batch_opts *o, const struct tenant *t,
    struct batch_report *out, struct err *e)
{
	return run_in_transaction(&(struct run){ c, o, t, NULL, out }, e);
}

/* ---- after a death ---- */

static enum err_code
suspect_locked(struct db_conn *c, const struct batch_opts *o, const struct tenant *t, bool *first,
    struct err *e)
{
	bool locked;
	enum err_code rc = tenant_lock(c, t->app_id, &locked, e);

	*first = false;
	if (rc == ERR_OK && locked)
		rc = tenant_served(c, t->app_id, 0, true, e);
	if (rc == ERR_OK && locked)
		rc = queue_suspect(c, t->app_id, o->limit, first, e);
	return rc;
}

enum err_code
batch_suspect(struct db_conn *c, const struct batch_opts *o, const struct tenant *t, bool *first,
    struct err *e)
{
	enum err_code rc = db_begin(c, e);

	if (rc == ERR_OK)
		rc = suspect_locked(c, o, t, first, e);
	if (rc == ERR_OK)
		rc = db_commit(c, e);
	if (rc != ERR_OK)
		db_rollback(c);
	return rc;
}

/* ---- alone ---- */

struct alone {
	struct queue_event ev;
	bool any, dead;
	struct err refused; /* what PostgreSQL said about it */
};

static enum err_code
in_transaction(const struct run *run,
    enum err_code (*step)(const struct run *, struct alone *, struct err *), struct alone *a,
    struct err *e)
{
	enum err_code rc = db_begin(run->conn, e);

	if (rc == ERR_OK)
		rc = step(run, a, e);
	if (rc == ERR_OK)
		rc = db_commit(run->conn, e);
	if (rc != ERR_OK)
		db_rollback(run->conn);
	return rc;
}

/* Take the oldest due event and count the attempt that is about to be made. An event whose attempts
 * are used up is dead: nothing that was tried with it ended. The mark is renewed, so that no other
 * worker serves this tenant meanwhile. */
static enum err_code
count_beforehand(const struct run *run, struct alone *a, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id = run->tenant->app_id;
	int max_attempts = run->opts->max_attempts;
	bool locked;
	enum err_code rc = tenant_lock(run->conn, app_id, &locked, e);

	run->report->was_busy = rc == ERR_OK && !locked;
	if (rc == ERR_OK && locked)
		rc = tenant_served(run->conn, app_id, 0, true, e);
	if (rc == ERR_OK && locked)
		rc = queue_take(run->conn, app_id, 1, 0, &r, e);
	if (rc != ERR_OK || !locked || db_rows(&r) == 0)
		return rc;
	a->any = true;
	queue_event_read(&r, 0, &a->ev);
	a->ev.payload = STR_NONE; /* it goes with the result */
	if (a->ev.attempts < max_attempts) {
		a->ev.attempts++;
		max_attempts = INT32_MAX; /* the last attempt is still to be made */
	}
	return queue_set_aside(run->conn, app_id, &a->ev, max_attempts,
	    "the worker did not survive this event", &a->dead, e);
}

static enum err_code
note_refusal(const struct run *run, struct alone *a, struct err *e)
{
	return queue_set_aside(run->conn, run->tenant->app_id, &a->ev, run->opts->max_attempts,
	    a->refused.msg, &a->dead, e);
}

/* Another worker has the tenant after all: the attempt that was counted is not made. */
static enum err_code
take_back(const struct run *run, struct alone *a, struct err *e)
{
	return queue_uncount_now(run->conn, run->tenant->app_id, a->ev.id, e);
}

static void
log_set_aside(const struct queue_event *ev, bool dead, const char *why)
{
	char id[UUID_TEXT_BYTES];

	log_warn(dead ? "event.dead" : "event.set_aside", "event=%s attempts=%d: %s",
	    uuid_format(ev->id, id), ev->attempts, why);
}

static enum err_code
run_alone(struct run *run, struct alone *a, struct err *e)
{
	enum err_code rc;

	run->only = &a->ev.id;
	rc = run_in_transaction(run, &a->refused);
	if (rc == ERR_OK && run->report->was_busy)
		return in_transaction(run, take_back, a, e);
	if (rc == ERR_OK)
		return ERR_OK;
	if (!batch_is_refused(rc)) {
		*e = a->refused;
		run->report->owes = true;
		run->report->event_id = a->ev.id;
		return rc;
	}
	rc = in_transaction(run, note_refusal, a, e);
	if (rc == ERR_OK) {
		run->report->set_aside = 1;
		log_set_aside(&a->ev, a->dead, a->refused.msg);
	}
	return rc;
}

enum err_code
batch_alone(struct db_conn *c, const struct batch_opts *o, const struct tenant *t,
    struct batch_report *out, struct err *e)
{
	struct alone a = { 0 };
	struct run run = { c, o, t, NULL, out };
	enum err_code rc;

	*out = (struct batch_report){ 0 };
	rc = in_transaction(&run, count_beforehand, &a, e);
	if (rc != ERR_OK || !a.any)
		return rc;
	if (!a.dead)
		return run_alone(&run, &a, e);
	log_set_aside(&a.ev, true, "it killed its worker each time");
	*out = (struct batch_report){ .events = 1, .set_aside = 1 };
	return ERR_OK;
}

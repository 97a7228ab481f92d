#include "workerd/batch.h"

#include "common/base/log.h"
#include "workerd/batch_tenant.h"
#include "workerd/batch_unclaimed.h"
#include "workerd/queue_db.h"

/* The events of a result, in memory that lives until the batch ends. */
static struct queue_event *
read_events(const struct db_result *r, struct arena *a)
{
	struct queue_event *events = arena_new(a, struct queue_event, (size_t)db_rows(r) + 1);

	for (int i = 0; i < db_rows(r); i++)
		queue_event_read(r, i, &events[i]);
	return events;
}

bool
batch_is_refused(enum err_code rc)
{
	return rc == ERR_INVALID || rc == ERR_CONFLICT || rc == ERR_TOO_LARGE;
}

static enum err_code
handle(struct db_conn *c, const struct batch_opts *o, const struct queue_event *events,
    struct arena *a, struct batch_report *out, struct err *e)
{
	if (uuid_eq(out->app_id, UUID_NIL))
		return batch_unclaimed(c, o, events, out->events, out, e);
	return batch_tenant(c, o, events, out->events, a, out, e);
}

/* After what PostgreSQL said about it. */
static enum err_code
set_aside(struct db_conn *c, const struct batch_opts *o, const struct queue_event *ev,
    const struct err *why, struct batch_report *out, struct err *e)
{
	char id[UUID_TEXT_BYTES];
	int64_t last_seq;
	bool dead;
	enum err_code rc = queue_set_aside(c, out->app_id, ev, o->max_attempts, why->msg, &dead, e);

	if (rc == ERR_OK)
		rc = queue_served(c, out->app_id, 0, &last_seq, e);
	if (rc != ERR_OK)
		return rc;
	out->set_aside = 1;
	out->changes = 0;
	log_warn(dead ? "event.dead" : "event.set_aside", "event=%s attempts=%d: %s",
	    uuid_format(ev->id, id), ev->attempts + 1, why->msg);
	return ERR_OK;
}

/* One event, so that it alone is at fault: set aside under the same lock, or another worker might
 * have taken it meanwhile, and the next one would be blamed. */
static enum err_code
handle_alone(struct db_conn *c, const struct batch_opts *o, const struct queue_event *ev,
    struct arena *a, struct batch_report *out, struct err *e)
{
	struct err why;
	enum err_code rc = db_command(c, "SAVEPOINT one_event", e);

	if (rc != ERR_OK)
		return rc;
	rc = handle(c, o, ev, a, out, &why);
	if (rc == ERR_OK)
		return ERR_OK;
	if (!batch_is_refused(rc)) {
		*e = why;
		return rc;
	}
	rc = db_command(c, "ROLLBACK TO SAVEPOINT one_event", e);
	return rc == ERR_OK ? set_aside(c, o, ev, &why, out, e) : rc;
}

static enum err_code
handle_events(struct db_conn *c, const struct batch_opts *o, struct batch_report *out,
    struct arena *a, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = queue_take(c, out->app_id, o->limit, &r, e);
	struct queue_event *events;

	if (rc != ERR_OK)
		return rc;
	events = read_events(&r, a);
	out->events = db_rows(&r);
	out->oldest_at = out->events > 0 ? events[0].received_at : 0;
	if (o->limit == 1 && out->events == 1)
		return handle_alone(c, o, events, a, out, e);
	return handle(c, o, events, a, out, e);
}

static enum err_code
run(struct db_conn *c, const struct batch_opts *o, struct batch_report *out, struct arena *a,
    struct err *e)
{
	bool found, due;
	enum err_code rc = queue_lock_tenant(c, &out->app_id, &found, e);

	if (rc != ERR_OK)
		return rc;
	if (found) {
		out->outcome = BATCH_DONE;
		return handle_events(c, o, out, a, e);
	}
	rc = queue_any_due(c, &due, e);
	if (rc == ERR_OK)
		out->outcome = due ? BATCH_LOCKED : BATCH_IDLE;
	return rc;
}

enum err_code
batch_run(struct db_conn *c, const struct batch_opts *o, struct batch_report *out, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena a;
	enum err_code rc;

	arena_init(&a);
	*out = (struct batch_report){ .outcome = BATCH_IDLE };
	rc = db_begin(c, e);
	if (rc == ERR_OK)
		rc = run(c, o, out, &a, e);
	if (rc == ERR_OK)
		rc = db_commit(c, e);
	if (rc != ERR_OK)
		db_rollback(c);
	return rc;
}

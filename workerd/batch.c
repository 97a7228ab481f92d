#include "workerd/batch.h"

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
	if (uuid_eq(out->app_id, UUID_NIL))
		return batch_unclaimed(c, o, events, out->events, out, e);
	return batch_tenant(c, o, events, out->events, a, out, e);
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

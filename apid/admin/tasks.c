#include "apid/admin/tasks.h"

#include "apid/admin/apps_db.h"
#include "apid/apid.h"
#include "apid/edge/columns.h"

#define COLUMNS                                                                  \
	"job_key, app_id, CASE WHEN run_at IS NULL THEN"                         \
	" CASE WHEN last_error IS NULL THEN 'done' ELSE 'failed' END"            \
	" WHEN last_error IS NOT NULL THEN 'retrying'"                           \
	" WHEN started_at IS NULL THEN 'queued' ELSE 'running' END, created_at," \
	" started_at, CASE WHEN run_at IS NULL THEN finished_at END, last_error, result"

enum {
	COL_ID,
	COL_APP,
	COL_STATE,
	COL_REQUESTED,
	COL_STARTED,
	COL_FINISHED,
	COL_ERROR,
	COL_RESULT,
	MOST_TASKS = 100,
};

static const struct db_stmt QUEUE = {
	.name = "task_queue",
	.sql = "INSERT INTO jobs (kind, app_id, job_key, params) VALUES ($1, $2, $3, $4)"
	       " ON CONFLICT (kind, app_id, job_key) DO UPDATE SET params = EXCLUDED.params,"
	       " run_at = now(), attempts = 0, created_at = now(), started_at = NULL,"
	       " finished_at = NULL, last_error = NULL, result = NULL RETURNING " COLUMNS,
};

static const struct db_stmt LIST = {
	.name = "task_list",
	.sql = "SELECT " COLUMNS " FROM jobs WHERE kind = $1 AND ($3 OR app_id = $2)"
	       " ORDER BY created_at DESC, job_key LIMIT $4",
};

enum err_code
tasks_queue(struct db_conn *c, const struct task *t, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(t->kind));
	db_p_uuid(&p, t->app_id);
	db_p_text(&p, t->key);
	db_p_json(&p, t->params);
	db_result_clear(out);
	rc = db_exec(c, &QUEUE, &p, out, e);
	/* Sent with the commit; a hint only, workerd looks every few seconds. */
	return rc == ERR_OK ? db_notify(c, "cti_jobs", e) : rc;
}

/* ---- showing ---- */

void
tasks_render(const struct db_result *r, int row, struct json_out *j)
{
	jo_kv_str(j, "id", db_str(r, row, COL_ID));
	column_uuid(j, "app_id", r, row, COL_APP);
	jo_kv_str(j, "state", db_str(r, row, COL_STATE));
	jo_kv_time(j, "requested_at", db_time(r, row, COL_REQUESTED));
	jo_kv_time(j, "started_at", db_time(r, row, COL_STARTED));
	jo_kv_time(j, "finished_at", db_time(r, row, COL_FINISHED));
	jo_kv_str(j, "error", db_str(r, row, COL_ERROR));
	jo_key(j, "result");
	jo_raw(j, db_str(r, row, COL_RESULT));
}

struct listing {
	const char *kind;
	struct uuid app_id;
	struct db_result *out;
};

static enum err_code
list(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	const struct listing *w = arg;
	bool all = uuid_eq(w->app_id, UUID_NIL);
	enum err_code rc = all ? ERR_OK : apps_db_check(c, w->app_id, e);

	if (rc != ERR_OK)
		return rc;
	db_params_init(&p);
	db_p_text(&p, str_of(w->kind));
	db_p_uuid(&p, w->app_id);
	db_p_bool(&p, all);
	db_p_i64(&p, MOST_TASKS);
	db_result_clear(w->out);
	return db_exec(c, &LIST, &p, w->out, e);
}

static void
render_row(const struct db_result *r, int row, struct json_out *j)
{
	jo_obj(j);
	tasks_render(r, row, j);
	jo_end_obj(j);
}

enum err_code
tasks_list(const struct http_req *req, struct http_res *res, const char *kind, struct uuid app_id,
    const char *name, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct listing w = { kind, app_id, &r };
	enum err_code rc = apid_admin_tx(req, list, &w, e);

	if (rc != ERR_OK)
		return rc;
	columns_list(&res->body, name, &r, render_row);
	return ERR_OK;
}

#include "apid/admin/repairs_db.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/admin/requests_db.h"
#include "apid/apid.h"
#include "common/json/json_out.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_PARAMS = 256 };

static const struct db_stmt IS_CONNECTED = {
	.name = "repair_is_connected",
	.sql = "SELECT 1 FROM dialpad_connections WHERE app_id = $1 AND state = 'connected'",
};

static const struct db_stmt LIST = {
	.name = "repairs_list",
	.sql = "SELECT (params->>'from')::bigint, (params->>'to')::bigint, params->>'reason',"
	       " created_at, finished_at, run_at, last_error, result FROM jobs"
	       " WHERE kind = 'repair' AND app_id = $1 ORDER BY created_at DESC LIMIT 100",
};

struct work {
	const struct http_req *req;
	struct uuid app_id;
	int64_t from, to;
};

static enum err_code
check_connected(struct db_conn *c, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, &IS_CONNECTED, &p, &r, e);
	if (rc == ERR_OK && db_rows(&r) == 0)
		return err_set(e, ERR_CONFLICT,
		    "Dialpad is not connected, so its list of calls cannot be asked for");
	return rc;
}

static void
put_params(const struct work *w, struct buf *out)
{
	struct json_out j;

	jo_init(&j, out);
	jo_obj(&j);
	jo_kv_i64(&j, "from", w->from);
	jo_kv_i64(&j, "to", w->to);
	jo_kv_str(&j, "reason", STR("asked for"));
	jo_end_obj(&j);
}

static enum err_code
ask(struct db_conn *c, void *arg, struct err *e)
{
	const struct work *w = arg;
	AUTO_RELEASE(buf_release) struct buf params = BUF(MAX_PARAMS);
	struct audit_line line = { .app_id = w->app_id, .action = "repair.requested" };
	char key[64];
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	put_params(w, &params);
	line.detail = buf_str(&params);
	(void)snprintf(key, sizeof key, "asked-%" PRId64 "-%" PRId64, w->from, w->to);
	if (rc == ERR_OK)
		rc = check_connected(c, w->app_id, e);
	if (rc == ERR_OK)
		rc = audit_write(c, w->req, &line, e);
	return rc == ERR_OK ? requests_ask(c, "repair", w->app_id, str_of(key), buf_str(&params), e)
			    : rc;
}

enum err_code
repairs_db_ask(
    const struct http_req *req, struct uuid app_id, int64_t from, int64_t to, struct err *e)
{
	struct work w = { .req = req, .app_id = app_id, .from = from, .to = to };

	return apid_admin_tx(req, ask, &w, e);
}

enum err_code
repairs_db_list(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	return apps_db_tell(req, app_id, &LIST, out, e);
}

#include "apid/admin/hooks_db.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/admin/requests_db.h"
#include "apid/apid.h"

#include <inttypes.h>
#include <stdio.h>

static const struct db_stmt LIST = {
	.name = "hooks_list",
	.sql =
	    "SELECT w.hook, w.state, w.key_fingerprint, w.webhook_id, w.subscriptions, w.drift,"
	    " w.last_checked_at, w.last_error, w.retired_at, w.created_at, c.state, j.run_at,"
	    " j.last_error FROM apps a LEFT JOIN dialpad_webhooks w USING (app_id)"
	    " LEFT JOIN dialpad_connections c USING (app_id)"
	    " LEFT JOIN jobs j ON j.kind = 'provision' AND j.app_id = a.app_id AND j.job_key = ''"
	    " WHERE a.app_id = $1 ORDER BY w.hook DESC NULLS LAST",
};

/* It stands for what the hook before stands for at Dialpad, until workerd has repointed that. */
static const struct db_stmt ADD = {
	.name = "hook_add",
	.sql = "INSERT INTO dialpad_webhooks (app_id, hook, key_fingerprint, webhook_id,"
	       " subscriptions) SELECT $1, coalesce(max(hook), 0) + 1, $2,"
	       " (array_agg(webhook_id ORDER BY hook DESC))[1],"
	       " (array_agg(subscriptions ORDER BY hook DESC))[1]"
	       " FROM dialpad_webhooks WHERE app_id = $1 RETURNING hook",
};

struct work {
	const struct http_req *req;
	struct uuid app_id;
	struct str key_fingerprint;
};

enum err_code
hooks_db_list(const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	return apps_db_tell(req, app_id, &LIST, out, e);
}

/* ---- changing ---- */

static enum err_code
ask(struct db_conn *c, const struct work *w, const char *action, struct str target, struct err *e)
{
	const struct audit_line line = { .app_id = w->app_id, .action = action, .target = target };
	enum err_code rc = audit_write(c, w->req, &line, e);

	return rc == ERR_OK ? requests_ask(c, "provision", w->app_id, STR_NONE, STR_NONE, e) : rc;
}

static enum err_code
provision(struct db_conn *c, void *arg, struct err *e)
{
	const struct work *w = arg;
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	return rc == ERR_OK ? ask(c, w, "webhook.provision", STR_NONE, e) : rc;
}

enum err_code
hooks_db_provision(const struct http_req *req, struct uuid app_id, struct err *e)
{
	struct work w = { .req = req, .app_id = app_id };

	return apid_admin_tx(req, provision, &w, e);
}

enum err_code
hooks_db_add(struct db_conn *c, struct uuid app_id, struct str key_fingerprint, int64_t *number,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_text(&p, key_fingerprint);
	rc = db_exec(c, &ADD, &p, &r, e);
	if (rc == ERR_OK)
		*number = db_i64(&r, 0, 0);
	return rc;
}

static enum err_code
rotate(struct db_conn *c, void *arg, struct err *e)
{
	const struct work *w = arg;
	char text[24];
	int64_t number;
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = hooks_db_add(c, w->app_id, w->key_fingerprint, &number, e);
	if (rc != ERR_OK)
		return rc;
	(void)snprintf(text, sizeof text, "hook %" PRId64, number);
	return ask(c, w, "webhook.rotated", str_of(text), e);
}

enum err_code
hooks_db_rotate(
    const struct http_req *req, struct uuid app_id, struct str key_fingerprint, struct err *e)
{
	struct work w = { .req = req, .app_id = app_id, .key_fingerprint = key_fingerprint };

	return apid_admin_tx(req, rotate, &w, e);
}

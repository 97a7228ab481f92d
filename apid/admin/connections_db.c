#include "apid/admin/connections_db.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/admin/hooks_db.h"
#include "apid/apid.h"
#include "common/dialpad/hook.h"

/* A refresh holds the row for as long as Dialpad may take to answer: 8 s. */
static const char WAIT_FOR_REFRESH[] = "SET LOCAL lock_timeout = '9500ms'";

static const struct db_stmt GET = {
	.name = "connection_get",
	.sql = "SELECT c.state, c.environment, c.dialpad_org_id, c.company_name, c.connected_at,"
	       " c.connected_by, c.connected_by_admin, to_json(c.scopes), c.last_error,"
	       " c.token_expires_at, c.refresh_token IS NOT NULL, c.last_refresh_at,"
	       " c.refresh_failures, a.invited_at"
	       " FROM apps AS a LEFT JOIN dialpad_connections AS c USING (app_id)"
	       " WHERE app_id = $1",
};

static const struct db_stmt TOKENS = {
	.name = "connection_tokens",
	.sql =
	    "SELECT access_token, refresh_token, EXISTS (SELECT FROM dialpad_connections AS other"
	    " WHERE other.app_id <> mine.app_id AND other.state = 'connected'"
	    " AND other.environment = mine.environment"
	    " AND other.dialpad_org_id = mine.dialpad_org_id"
	    " AND other.connected_by = mine.connected_by)"
	    " FROM dialpad_connections AS mine WHERE app_id = $1 FOR UPDATE",
};

static const struct db_stmt DISCONNECT = {
	.name = "connection_disconnect",
	.sql = "UPDATE dialpad_connections SET state = 'disconnected', access_token = NULL,"
	       " refresh_token = NULL, token_expires_at = NULL, last_error = NULL,"
	       " refresh_failures = 0, connected_by_admin = false,"
	       " dialpad_org_id = CASE WHEN $2 THEN NULL ELSE dialpad_org_id END,"
	       " company_name = CASE WHEN $2 THEN NULL ELSE company_name END,"
	       " office_ids = CASE WHEN $2 THEN '{}' ELSE office_ids END, updated_at = now()"
	       " WHERE app_id = $1",
};

static const struct db_stmt RETIRE_HOOKS = {
	.name = "connection_retire_hooks",
	.sql = "UPDATE dialpad_webhooks SET state = 'retired', webhook_id = NULL,"
	       " subscriptions = NULL, drift = NULL, retired_at = least(retired_at, now()),"
	       " updated_at = now() WHERE app_id = $1",
};

static const struct db_stmt INVITE = {
	.name = "connection_invite",
	.sql = "UPDATE apps SET invited_at = now(), updated_at = now() WHERE app_id = $1",
};

struct work {
	const struct http_req *req;
	struct uuid app_id;
	const struct db_stmt *stmt;
	struct db_result *out; /* or NULL */
	bool forget_company;
};

static enum err_code
run(struct db_conn *c, const struct work *w, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	if (w->stmt == &DISCONNECT)
		db_p_bool(&p, w->forget_company);
	if (w->out != NULL)
		db_result_clear(w->out);
	return db_exec(c, w->stmt, &p, w->out, e);
}

/* ---- reading ---- */

static enum err_code
read_known(struct db_conn *c, void *arg, struct err *e)
{
	const struct work *w = arg;
	enum err_code rc = apps_db_check(c, w->app_id, e);

	return rc == ERR_OK ? run(c, w, e) : rc;
}

enum err_code
connections_db_get(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	struct work w = { .req = req, .app_id = app_id, .stmt = &GET, .out = out };

	return apid_admin_tx(req, read_known, &w, e);
}

/* ---- changing ---- */

static enum err_code
audit(struct db_conn *c, const struct work *w, const char *action, struct str detail, struct err *e)
{
	const struct audit_line line = { .app_id = w->app_id, .action = action, .detail = detail };

	return audit_write(c, w->req, &line, e);
}

static enum err_code
read_last_tokens(struct db_conn *c, const struct work *w, struct err *e)
{
	struct work tokens = *w;
	enum err_code rc = db_command(c, WAIT_FOR_REFRESH, e);

	tokens.stmt = &TOKENS;
	if (rc == ERR_OK)
		rc = apps_db_check(c, w->app_id, e);
	if (rc == ERR_OK)
		rc = run(c, &tokens, e);
	if (rc == ERR_OK && db_rows(w->out) == 0)
		return err_set(e, ERR_NOT_FOUND, "Dialpad was never connected to this app");
	return rc;
}

/* The next company gets a hook of its own. */
static enum err_code
retire_hooks(struct db_conn *c, const struct work *w, struct err *e)
{
	const struct apid *api = w->req->self;
	struct str key = str_of(api->conf->master_key);
	struct work all = { .app_id = w->app_id, .stmt = &RETIRE_HOOKS };
	char fingerprint[HOOK_FINGERPRINT_BYTES];
	int64_t number;
	enum err_code rc = run(c, &all, e);

	if (rc != ERR_OK || key.n == 0)
		return rc;
	hook_fingerprint(key, fingerprint);
	return hooks_db_add(c, w->app_id, str_of(fingerprint), &number, e);
}

static enum err_code
end(struct db_conn *c, void *arg, struct err *e)
{
	const struct work *w = arg;
	struct work update = {
		.app_id = w->app_id, .stmt = &DISCONNECT, .forget_company = w->forget_company
	};
	enum err_code rc = read_last_tokens(c, w, e);

	if (rc == ERR_OK)
		rc = run(c, &update, e);
	if (rc == ERR_OK && w->forget_company)
		rc = retire_hooks(c, w, e);
	return rc != ERR_OK ? rc
			    : audit(c, w, "connection.disconnected",
				w->forget_company ? STR("{\"forget_company\":true}") : STR_NONE, e);
}

enum err_code
connections_db_end(const struct http_req *req, struct uuid app_id, bool forget_company,
    struct db_result *r, struct connection_tokens *out, struct err *e)
{
	struct work w = {
		.req = req, .app_id = app_id, .out = r, .forget_company = forget_company
	};
	enum err_code rc = apid_admin_tx(req, end, &w, e);

	if (rc == ERR_OK)
		*out = (struct connection_tokens){ db_str(r, 0, 0), db_str(r, 0, 1),
			db_bool(r, 0, 2) };
	return rc;
}

static enum err_code
invite(struct db_conn *c, void *arg, struct err *e)
{
	const struct work *w = arg;
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = run(c, w, e);
	return rc == ERR_OK ? audit(c, w, "connection.invited", STR_NONE, e) : rc;
}

enum err_code
connections_db_invite(const struct http_req *req, struct uuid app_id, struct err *e)
{
	struct work w = { .req = req, .app_id = app_id, .stmt = &INVITE };

	return apid_admin_tx(req, invite, &w, e);
}

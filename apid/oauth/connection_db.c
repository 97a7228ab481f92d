#include "apid/oauth/connection_db.h"

#include "apid/admin/audit_db.h"
#include "apid/admin/requests_db.h"
#include "apid/apid.h"
#include "common/dialpad/dp_token.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_SEALED_BYTES = DIALPAD_MAX_TOKEN_BYTES + 256, MAX_DETAIL = 4096 };

/* A refresh holds the row for as long as Dialpad may take to answer: 8 s. */
static const char WAIT_FOR_REFRESH[] = "SET LOCAL lock_timeout = '9500ms'";

static const struct db_stmt APP = {
	.name = "connection_app",
	.sql = "SELECT name, is_active FROM apps WHERE app_id = $1 AND deleted_at IS NULL",
};

static const struct db_stmt INSERT = {
	.name = "connection_insert",
	.sql = "INSERT INTO dialpad_connections (app_id, environment) VALUES ($1, $2)"
	       " ON CONFLICT (app_id) DO NOTHING",
};

static const struct db_stmt LOCK = {
	.name = "connection_lock",
	.sql = "SELECT dialpad_org_id, connected_by_admin FROM dialpad_connections"
	       " WHERE app_id = $1 FOR UPDATE",
};
enum { LOCKED_ORG_ID, LOCKED_BY_ADMIN };

static const struct db_stmt UPDATE = {
	.name = "connection_update",
	.sql =
	    "UPDATE dialpad_connections SET dialpad_org_id = $2,"
	    " company_name = coalesce($3, company_name), environment = $4, access_token = $5,"
	    " refresh_token = $6, token_expires_at = now() + make_interval(secs => $7),"
	    " scopes = string_to_array($8, ' '), office_ids = CASE WHEN $13 THEN $9 ELSE office_ids END,"
	    " state = 'connected', last_error = $10, last_refresh_at = NULL,"
	    " refresh_failures = 0, connected_by = $11, connected_by_admin = $12,"
	    " connected_at = now(), updated_at = now() WHERE app_id = $1",
};

/* What could not be asked of Dialpad without a token, or without this scope. */
static const struct db_stmt RESUME_REPAIRS = {
	.name = "connection_resume_repairs",
	.sql = "UPDATE jobs SET run_at = now(), attempts = 0 WHERE app_id = $1 AND kind = 'repair'"
	       " AND last_error IS NOT NULL",
};

struct saving {
	struct http_req *req;
	struct uuid app_id;
	const struct account *account;
	struct str access, refresh; /* sealed; refresh STR_NONE: none was given */
	struct connection_saved saved;
};

/* ---- what is said about it ---- */

struct str
connection_person(struct http_req *req, const struct account *a)
{
	char id[32];

	if (a->user.email.p != NULL)
		return a->user.email;
	if (a->user.name.p != NULL)
		return a->user.name;
	(void)snprintf(id, sizeof id, "user %" PRId64, a->user.id);
	return arena_dup(&req->arena, str_of(id));
}

struct str
connection_flaw(const struct account *a)
{
	if (a->tokens.refresh.n > 0 || a->tokens.expires_in_s == 0)
		return STR_NONE;
	return STR("Dialpad gave no refresh token, so the connection ends with this token and has "
		   "to be made again then. Have Dialpad approve the scope offline_access for your "
		   "app, and ask for it in DIALPAD_SCOPES.");
}

/* ---- the steps, in one transaction ---- */

static enum err_code
run(struct db_conn *c, const struct db_stmt *s, struct uuid app_id, struct db_result *out,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	return db_exec(c, s, &p, out, e);
}

static enum err_code
check_app(struct db_conn *c, struct saving *s, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = run(c, &APP, s->app_id, &r, e);

	if (rc != ERR_OK)
		return rc;
	if (db_rows(&r) == 0)
		return err_set(e, ERR_NOT_FOUND, "the app was deleted meanwhile");
	if (!db_bool(&r, 0, 1))
		return err_set(e, ERR_FORBIDDEN, "this app is disabled");
	s->saved.app_name = arena_dup(&s->req->arena, db_str(&r, 0, 0));
	return ERR_OK;
}

static enum err_code
insert(struct db_conn *c, const struct saving *s, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	const struct apid *api = s->req->self;

	db_params_init(&p);
	db_p_uuid(&p, s->app_id);
	db_p_text(&p, str_of(api->conf->dialpad_env));
	return db_exec(c, &INSERT, &p, NULL, e);
}

/* Locks the row. Whose company it is, and whose token, stays as it was decided once. */
static enum err_code
check_bond(struct db_conn *c, const struct saving *s, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = run(c, &LOCK, s->app_id, &r, e);

	if (rc != ERR_OK)
		return rc;
	if (!db_null(&r, 0, LOCKED_ORG_ID)
	    && db_i64(&r, 0, LOCKED_ORG_ID) != s->account->user.company_id)
		return err_set(e, ERR_CONFLICT,
		    "this app belongs to another company of Dialpad, and was left as it is. Log in "
		    "with an account of that company, or have an administrator of this server "
		    "disconnect it with forget_company");
	if (db_bool(&r, 0, LOCKED_BY_ADMIN) && !s->account->is_company_admin)
		return err_set(e, ERR_FORBIDDEN,
		    "this app was connected by an admin of your company, and you are none: your "
		    "login cannot take its place. Ask an admin to connect it");
	return ERR_OK;
}

static void
add_offices(struct db_params *p, const struct account *a)
{
	AUTO_RELEASE(db_array_release) struct db_array offices;

	db_array_init(&offices, DB_I64);
	for (int i = 0; i < a->offices.n; i++)
		db_array_i64(&offices, a->offices.ids[i]);
	db_p_array(p, &offices);
}

static enum err_code
update(struct db_conn *c, const struct saving *s, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	const struct apid *api = s->req->self;
	const struct account *a = s->account;

	db_params_init(&p);
	db_p_uuid(&p, s->app_id);
	db_p_i64(&p, a->user.company_id);
	db_p_text(&p, a->company);
	db_p_text(&p, str_of(api->conf->dialpad_env));
	db_p_bytea(&p, s->access);
	db_p_bytea(&p, s->refresh);
	if (a->tokens.expires_in_s > 0)
		db_p_f64(&p, (double)a->tokens.expires_in_s);
	else
		db_p_null(&p, DB_F64);
	db_p_text(&p, a->granted);
	add_offices(&p, a);
	db_p_text(&p, connection_flaw(a));
	db_p_text(&p, connection_person(s->req, a));
	db_p_bool(&p, a->is_company_admin);
	db_p_bool(&p, a->has_offices);
	return db_exec(c, &UPDATE, &p, NULL, e);
}

static enum err_code
audit(struct db_conn *c, const struct saving *s, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf detail = BUF(MAX_DETAIL);
	const struct account *a = s->account;
	struct audit_line line = { .app_id = s->app_id, .action = "connection.connected" };
	struct json_out j;

	jo_init(&j, &detail);
	jo_obj(&j);
	jo_kv_i64(&j, "dialpad_org_id", a->user.company_id);
	jo_kv_str(&j, "by", connection_person(s->req, a));
	jo_kv_bool(&j, "by_admin", a->is_company_admin);
	jo_end_obj(&j);
	line.target = a->company;
	line.detail = buf_str(&detail);
	return audit_write(c, s->req, &line, e);
}

static enum err_code
save(struct db_conn *c, void *arg, struct err *e)
{
	struct saving *s = arg;
	enum err_code rc = db_command(c, WAIT_FOR_REFRESH, e);

	if (rc == ERR_OK)
		rc = check_app(c, s, e);
	if (rc == ERR_OK)
		rc = insert(c, s, e);
	if (rc == ERR_OK)
		rc = check_bond(c, s, e);
	if (rc == ERR_OK)
		rc = update(c, s, e);
	if (rc == ERR_OK)
		rc = audit(c, s, e);
	if (rc == ERR_OK)
		rc = run(c, &RESUME_REPAIRS, s->app_id, NULL, e);
	return rc == ERR_OK ? requests_ask(c, "provision", s->app_id, STR_NONE, STR_NONE, e) : rc;
}

enum err_code
connection_db_save(struct http_req *req, struct uuid app_id, const struct account *a,
    struct connection_saved *out, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf access = BUF(MAX_SEALED_BYTES);
	AUTO_RELEASE(buf_release) struct buf refresh = BUF(MAX_SEALED_BYTES);
	const struct apid *api = req->self;
	struct saving s = { .req = req, .app_id = app_id, .account = a };
	enum err_code rc;

	seal_lock(&api->seal_keys, (struct seal_place){ app_id, DP_ACCESS_TOKEN },
	    buf_str(&a->tokens.access), &access);
	if (a->tokens.refresh.n > 0)
		seal_lock(&api->seal_keys, (struct seal_place){ app_id, DP_REFRESH_TOKEN },
		    buf_str(&a->tokens.refresh), &refresh);
	s.access = buf_str(&access);
	s.refresh = refresh.n > 0 ? buf_str(&refresh) : STR_NONE;
	rc = apid_tx(req, save, &s, e);
	if (rc == ERR_OK)
		*out = s.saved;
	return rc;
}

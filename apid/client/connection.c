/* GET /api/connection: may the app expect events, and if not, what is missing? */
#include "apid/handlers.h"

#include "apid/apid.h"
#include "apid/client/connection_db.h"
#include "apid/edge/request.h"

/* Of the only row, or 0. */
static int64_t
time_of(const struct db_result *r, int col)
{
	return db_rows(r) == 0 ? 0 : db_time(r, 0, col);
}

/* A text of the only row, or null. */
static struct str
text_of(const struct db_result *r, int col)
{
	return db_rows(r) == 0 ? STR_NONE : db_str(r, 0, col);
}

static void
put_list(struct json_out *j, const char *key, struct str json)
{
	jo_key(j, key);
	jo_raw(j, json.p == NULL ? STR("[]") : json);
}

static void
put_company(struct json_out *j, const struct db_result *bond)
{
	jo_key(j, "dialpad_org_id");
	if (db_rows(bond) == 0 || db_null(bond, 0, BOND_ORG_ID))
		jo_null(j);
	else
		jo_i64(j, db_i64(bond, 0, BOND_ORG_ID));
	jo_kv_str(j, "company", text_of(bond, BOND_COMPANY));
}

static void
put_hook(struct json_out *j, const struct db_result *hook)
{
	jo_key(j, "webhook");
	if (db_rows(hook) == 0) {
		jo_null(j);
	} else {
		jo_obj(j);
		jo_kv_str(j, "state", text_of(hook, HOOK_STATE));
		jo_kv_str(j, "hook_url", text_of(hook, HOOK_URL));
		jo_end_obj(j);
	}
	put_list(j, "subscriptions", text_of(hook, HOOK_SUBSCRIPTIONS));
}

/* Where nobody has connected yet, the environment is the one that connecting would lead to. */
static void
render(const struct connection *c, const struct conf *conf, struct json_out *j)
{
	bool known = db_rows(&c->bond) > 0;
	struct str state = known ? text_of(&c->bond, BOND_STATE) : STR("never_connected");
	bool connected = str_eq(state, STR("connected"));

	jo_obj(j);
	jo_kv_bool(j, "connected", connected);
	jo_kv_str(j, "state", state);
	jo_kv_str(j, "reason", connected ? STR_NONE : text_of(&c->bond, BOND_REASON));
	jo_kv_str(j, "environment",
	    known ? text_of(&c->bond, BOND_ENVIRONMENT) : str_of(conf->dialpad_env));
	put_company(j, &c->bond);
	jo_kv_time(j, "connected_at", time_of(&c->bond, BOND_CONNECTED_AT));
	jo_kv_str(j, "connected_by", text_of(&c->bond, BOND_CONNECTED_BY));
	put_list(j, "scopes", text_of(&c->bond, BOND_SCOPES));
	put_list(j, "missing_scopes", text_of(&c->bond, BOND_MISSING_SCOPES));
	put_hook(j, &c->hook);
	jo_kv_time(j, "last_event_at", time_of(&c->event, 0));
	jo_end_obj(j);
}

enum err_code
connection_get(struct http_req *req, struct http_res *res, struct err *e)
{
	const struct apid *api = req->self;
	AUTO_RELEASE(connection_release) struct connection c = CONNECTION_NONE;
	struct json_out j;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = connection_db_read(req, &c, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	render(&c, api->conf, &j);
	return ERR_OK;
}

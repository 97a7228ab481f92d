#include "apid/oauth/login_db.h"

#include "apid/apid.h"

#define CODE_VERIFIER "code_verifier"

enum { MAX_SEALED_BYTES = 256 };

/* Open to everybody who knows the app's id: a young app without a company, and one that an admin has
 * invited. Without a return_to, the comparison is NULL. */
static const struct db_stmt APP = {
	.name = "login_app",
	.sql = "SELECT a.name, a.is_active,"
	       " c.dialpad_org_id IS NULL AND a.created_at > now() - make_interval(hours => $2)"
	       " OR coalesce(a.invited_at > now() - make_interval(hours => $2), false),"
	       " EXISTS (SELECT FROM unnest(a.allowed_return_urls) AS url"
	       " WHERE url = $3 OR strpos(url, '?') = 0 AND url = split_part($3, '?', 1))"
	       " FROM apps AS a LEFT JOIN dialpad_connections AS c USING (app_id)"
	       " WHERE app_id = $1 AND a.deleted_at IS NULL"
	       " AND app_id <> '00000000-0000-0000-0000-000000000000'",
};
enum { APP_NAME, APP_IS_ACTIVE, APP_IS_OPEN, APP_MAY_RETURN };

static const struct db_stmt ADD = {
	.name = "login_add",
	.sql = "INSERT INTO oauth_states (state_hash, app_id, cookie_hash, code_verifier,"
	       " environment, return_to, expires_at)"
	       " VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))",
};

static const struct db_stmt TAKE_LOGIN = {
	.name = "login_take",
	.sql = "DELETE FROM oauth_states WHERE state_hash = $1 AND cookie_hash = $2"
	       " RETURNING app_id, environment, return_to, code_verifier, expires_at > now()",
};
enum { TAKEN_APP_ID, TAKEN_ENVIRONMENT, TAKEN_RETURN_TO, TAKEN_VERIFIER, TAKEN_IN_TIME };

enum err_code
login_db_app(struct http_req *req, struct uuid app_id, struct str return_to, struct login_app *out,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	const struct apid *api = req->self;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i32(&p, (int32_t)api->conf->connect_window_hours);
	db_p_text(&p, return_to);
	rc = apid_read(req, &APP, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	if (db_rows(&r) == 0)
		return err_set(e, ERR_NOT_FOUND, "app_id: there is no app with this id");
	if (!db_bool(&r, 0, APP_IS_ACTIVE))
		return err_set(e, ERR_FORBIDDEN, "this app is disabled");
	*out = (struct login_app){
		.name = arena_dup(&req->arena, db_str(&r, 0, APP_NAME)),
		.is_open = db_bool(&r, 0, APP_IS_OPEN),
		.may_return = db_bool(&r, 0, APP_MAY_RETURN),
	};
	return ERR_OK;
}

static struct str
hash_of(struct str secret, unsigned char hash[LOGIN_HASH_BYTES])
{
	login_hash(secret, hash);
	return (struct str){ (const char *)hash, LOGIN_HASH_BYTES };
}

enum err_code
login_db_add(const struct http_req *req, struct uuid app_id, const struct login *l,
    struct str return_to, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(buf_release) struct buf verifier = BUF(MAX_SEALED_BYTES);
	unsigned char state[LOGIN_HASH_BYTES], cookie[LOGIN_HASH_BYTES];
	const struct apid *api = req->self;

	seal_lock(&api->seal_keys, (struct seal_place){ app_id, CODE_VERIFIER },
	    str_of(l->verifier), &verifier);
	db_params_init(&p);
	db_p_bytea(&p, hash_of(str_of(l->state), state));
	db_p_uuid(&p, app_id);
	db_p_bytea(&p, hash_of(str_of(l->cookie), cookie));
	db_p_bytea(&p, buf_str(&verifier));
	db_p_text(&p, str_of(api->conf->dialpad_env));
	db_p_text(&p, return_to);
	db_p_f64(&p, LOGIN_SECONDS);
	return apid_read(req, &ADD, &p, NULL, e);
}

static enum err_code
refuse(struct err *e)
{
	return err_set(e, ERR_INVALID,
	    "state: this login is unknown here. It was used already, or is older than ten "
	    "minutes, or it began in another browser or under another address of this server. "
	    "Start again where you clicked to connect Dialpad");
}

static enum err_code
read_taken(struct http_req *req, const struct db_result *r, struct login_taken *out, struct err *e)
{
	const struct apid *api = req->self;
	struct login_taken t = {
		.app_id = db_uuid(r, 0, TAKEN_APP_ID),
		.environment = arena_dup(&req->arena, db_str(r, 0, TAKEN_ENVIRONMENT)),
		.return_to = arena_dup(&req->arena, db_str(r, 0, TAKEN_RETURN_TO)),
		.verifier = BUF(MAX_SEALED_BYTES),
	};
	enum err_code rc =
	    seal_open(&api->seal_keys, (struct seal_place){ t.app_id, CODE_VERIFIER },
		db_str(r, 0, TAKEN_VERIFIER), &t.verifier, e);

	if (rc == ERR_OK)
		*out = t;
	else
		buf_release(&t.verifier);
	return rc;
}

enum err_code
login_db_take(struct http_req *req, struct str state, struct str cookie, struct login_taken *out,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	unsigned char state_hash[LOGIN_HASH_BYTES], cookie_hash[LOGIN_HASH_BYTES];
	enum err_code rc;

	db_params_init(&p);
	if (state.p == NULL || cookie.p == NULL)
		return refuse(e);
	db_p_bytea(&p, hash_of(state, state_hash));
	db_p_bytea(&p, hash_of(cookie, cookie_hash));
	rc = apid_read(req, &TAKE_LOGIN, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	if (db_rows(&r) == 0 || !db_bool(&r, 0, TAKEN_IN_TIME))
		return refuse(e);
	return read_taken(req, &r, out, e);
}

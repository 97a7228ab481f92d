#include "apid/admin/unhook.h"

#include "apid/apid.h"
#include "common/dialpad/dialpad_oauth.h"
#include "common/dialpad/dp_token.h"
#include "common/dialpad/hook_set.h"

static const struct db_stmt REMEMBERED = {
	.name = "unhook_remembered",
	.sql = "SELECT webhook_id, (SELECT (s->>'id')::bigint"
	       "   FROM json_array_elements(subscriptions) s WHERE s->>'kind' = 'call' LIMIT 1),"
	       " (SELECT (s->>'id')::bigint"
	       "   FROM json_array_elements(subscriptions) s WHERE s->>'kind' = 'sms' LIMIT 1)"
	       " FROM dialpad_webhooks WHERE app_id = $1 AND state = 'current'"
	       " ORDER BY hook DESC LIMIT 1",
};

static const struct db_stmt FORGET = {
	.name = "unhook_forget",
	.sql = "UPDATE dialpad_webhooks SET webhook_id = NULL, subscriptions = NULL, drift = NULL,"
	       " last_error = NULL, last_checked_at = NULL, updated_at = now() WHERE app_id = $1",
};

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
load_owner(const struct apid *api, struct db_conn *c, struct hook_owner *o, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = run(c, &REMEMBERED, o->app_id, &r, e);

	if (rc != ERR_OK)
		return rc;
	o->base_url = str_of(api->conf->public_ingest_url);
	if (db_rows(&r) == 0)
		return ERR_OK;
	o->webhook_id = db_i64(&r, 0, 0);
	for (int kind = 0; kind < DIALPAD_SUB_KINDS; kind++)
		o->sub_id[kind] = db_i64(&r, 0, 1 + kind);
	return ERR_OK;
}

static enum err_code
remove_all(const struct apid *api, const struct hook_owner *o, struct str token, struct err *e)
{
	const struct hook_keep none = { 0 };
	struct hook_set s;
	struct arena a; /* holds secrets */
	int removed;
	enum err_code rc;

	arena_init(&a);
	rc = hook_set_load(api->dialpad, token, o, &a, &s, e);
	if (rc == ERR_OK)
		rc = hook_set_trim(api->dialpad, token, &s, &none, &removed, e);
	arena_wipe(&a);
	return rc;
}

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

/* UNAUTHORIZED: Dialpad did not take the token, and the next one will be another. */
static enum err_code
remove_with_token(const struct apid *api, struct db_conn *c, const struct dp_tokens *t,
    const struct hook_owner *o, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf token = BUF(DIALPAD_MAX_TOKEN_BYTES);
	struct err why;
	enum err_code rc = dp_token_get(t, c, o->app_id, &token, e);

	if (rc != ERR_OK)
		return rc;
	rc = remove_all(api, o, buf_str(&token), &why);
	if (rc == ERR_OK)
		return ERR_OK;
	if (rc == ERR_UNAUTHORIZED
	    && dp_token_refused(t, c, o->app_id, buf_str(&token), e) != ERR_OK)
		return e->code;
	if (rc == ERR_CONFLICT || rc == ERR_NOT_FOUND)
		why.code = ERR_UPSTREAM; /* those say that there is no token */
	*e = why;
	return e->code;
}

enum err_code
unhook(const struct apid *api, struct db_conn *c, const struct db_opts *db, struct uuid app_id,
    struct err *e)
{
	struct hook_owner owner = { .app_id = app_id };
	const struct dp_tokens t = {
		.api = api->dialpad,
		.keys = &api->seal_keys,
		.environment = api->conf->dialpad_env,
		.db = *db,
	};
	enum err_code rc = load_owner(api, c, &owner, e);

	if (rc == ERR_OK)
		rc = remove_with_token(api, c, &t, &owner, e);
	if (rc == ERR_UNAUTHORIZED)
		rc = remove_with_token(api, c, &t, &owner, e);
	if (rc == ERR_CONFLICT && owner.webhook_id == 0)
		return ERR_OK; /* an earlier one did it */
	return rc == ERR_OK ? run(c, &FORGET, app_id, NULL, e) : rc;
}

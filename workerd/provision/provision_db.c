#include "workerd/provision/provision_db.h"

#include "common/json/json_out.h"

enum { MAX_JSON = 4096 };

#define SORTED_SCOPES "array_to_string(ARRAY(SELECT unnest(c.scopes) ORDER BY 1), ' ')"

/* Of the remembered subscription of one kind: its id, and whether it was made with other scopes. */
#define SUBSCRIPTION(kind)                                                       \
	"(SELECT (s->>'id')::bigint FROM json_array_elements(h.subscriptions) s" \
	"   WHERE s->>'kind' = '" kind "' LIMIT 1),"                             \
	" (SELECT s->>'scopes' IS DISTINCT FROM " SORTED_SCOPES                  \
	"   FROM json_array_elements(h.subscriptions) s WHERE s->>'kind' = '" kind "' LIMIT 1)"

static const struct db_stmt LOAD = {
	.name = "provision_load",
	.sql =
	    "SELECT " SORTED_SCOPES
	    ", h.hook, h.key_fingerprint, h.webhook_id, " SUBSCRIPTION("call") ", " SUBSCRIPTION(
		"sms") " FROM apps a JOIN dialpad_connections c USING (app_id)"
		       " LEFT JOIN LATERAL (SELECT * FROM dialpad_webhooks w WHERE w.app_id = a.app_id"
		       "   AND w.state = 'current' ORDER BY w.hook DESC LIMIT 1) h ON true"
		       " WHERE a.app_id = $1 AND a.deleted_at IS NULL",
};
enum { COL_SCOPES, COL_HOOK, COL_FINGERPRINT, COL_WEBHOOK, COL_SUBS };

static const struct db_stmt NEXT_HOOK = {
	.name = "provision_next_hook",
	.sql = "INSERT INTO dialpad_webhooks (app_id, hook, key_fingerprint, webhook_id,"
	       "   subscriptions)"
	       " SELECT $1, coalesce(max(hook), 0) + 1, $2,"
	       "   (array_agg(webhook_id ORDER BY hook DESC))[1],"
	       "   (array_agg(subscriptions ORDER BY hook DESC))[1]"
	       " FROM dialpad_webhooks WHERE app_id = $1"
	       " RETURNING hook",
};

static const struct db_stmt SAVE = {
	.name = "provision_save",
	.sql = "UPDATE dialpad_webhooks SET webhook_id = $3, hook_url = $4, subscriptions = $5,"
	       " drift = coalesce($6, drift), last_error = NULL, updated_at = now(),"
	       " last_checked_at = CASE WHEN $6 IS NULL THEN last_checked_at ELSE now() END"
	       " WHERE app_id = $1 AND hook = $2",
};

static const struct db_stmt NOTE_FAILURE = {
	.name = "provision_note_failure",
	.sql = "UPDATE dialpad_webhooks SET last_error = $2, updated_at = now()"
	       " WHERE (app_id, hook) IN (SELECT app_id, hook FROM dialpad_webhooks"
	       "   WHERE app_id = $1 AND state = 'current' ORDER BY hook DESC LIMIT 1)",
};

static const struct db_stmt RETIRE = {
	.name = "provision_retire",
	.sql = "UPDATE dialpad_webhooks SET state = 'retired', webhook_id = NULL,"
	       " subscriptions = NULL, drift = NULL, retired_at = now() + interval '6 hours',"
	       " updated_at = now() WHERE app_id = $1 AND hook < $2 AND state = 'current'",
};

enum err_code
provision_db_load(struct db_conn *c, struct uuid app_id, struct arena *a, struct provision_row *out,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, &LOAD, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	if (db_rows(&r) == 0)
		return err_set(e, ERR_NOT_FOUND, "the app is gone, or was never connected");
	*out = (struct provision_row){
		.scopes = arena_dup(a, db_str(&r, 0, COL_SCOPES)),
		.hook = (int32_t)db_i64(&r, 0, COL_HOOK),
		.key_fingerprint = arena_dup(a, db_str(&r, 0, COL_FINGERPRINT)),
		.webhook_id = db_i64(&r, 0, COL_WEBHOOK),
	};
	for (int kind = 0; kind < DIALPAD_SUB_KINDS; kind++) {
		out->sub[kind].id = db_i64(&r, 0, COL_SUBS + 2 * kind);
		out->sub[kind].is_old = db_bool(&r, 0, COL_SUBS + 2 * kind + 1);
	}
	return ERR_OK;
}

enum err_code
provision_db_next_hook(struct db_conn *c, struct uuid app_id, struct str key_fingerprint,
    struct provision_row *row, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_text(&p, key_fingerprint);
	rc = db_exec(c, &NEXT_HOOK, &p, &r, e);
	if (rc == ERR_OK) {
		row->hook = (int32_t)db_i64(&r, 0, 0);
		row->key_fingerprint = key_fingerprint;
	}
	return rc;
}

/* [{"kind": "call", "id": 1, "state": "active", "scopes": "a b"}, …]; ids that are known. */
static void
put_subs(const struct provision_row *row, struct buf *out)
{
	struct json_out j;

	jo_init(&j, out);
	jo_arr(&j);
	for (int kind = 0; kind < DIALPAD_SUB_KINDS; kind++) {
		if (row->sub[kind].id == 0)
			continue;
		jo_obj(&j);
		jo_kv_str(&j, "kind", str_of(dialpad_sub_name((enum dialpad_sub_kind)kind)));
		jo_kv_i64(&j, "id", row->sub[kind].id);
		jo_kv_str(&j, "state", STR("active"));
		jo_kv_str(&j, "scopes", row->sub[kind].is_old ? STR_NONE : row->scopes);
		jo_end_obj(&j);
	}
	jo_end_arr(&j);
}

enum err_code
provision_db_save(struct db_conn *c, struct uuid app_id, const struct provision_row *row,
    struct str hook_url, struct str drift, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(buf_release) struct buf subs = BUF(MAX_JSON);

	put_subs(row, &subs);
	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i32(&p, row->hook);
	db_p_i64(&p, row->webhook_id);
	db_p_text(&p, hook_url);
	db_p_json(&p, buf_str(&subs));
	db_p_json(&p, drift);
	return db_exec(c, &SAVE, &p, NULL, e);
}

enum err_code
provision_db_note_failure(struct db_conn *c, struct uuid app_id, const char *reason, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_text(&p, str_of(reason));
	return db_exec(c, &NOTE_FAILURE, &p, NULL, e);
}

enum err_code
provision_db_retire(struct db_conn *c, struct uuid app_id, int32_t newest, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i32(&p, newest);
	return db_exec(c, &RETIRE, &p, NULL, e);
}

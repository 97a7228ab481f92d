#include "workerd/jobs/request_json.h"

static const struct db_stmt APP_LIVES = {
	.name = "request_app_lives",
	.sql = "SELECT EXISTS (SELECT 1 FROM apps WHERE app_id = $1 AND deleted_at IS NULL)",
};

enum err_code
request_params(const struct request *q, struct arena *a, const struct json **out, struct err *e)
{
	return json_parse_in(a, q->params.p == NULL ? STR("{}") : q->params, out, e);
}

enum err_code
request_uuids(const struct json *params, const char *key, struct db_array *out, struct err *e)
{
	for (const struct json *v = json_first(json_get(params, key)); v != NULL;
	     v = json_next(v)) {
		struct uuid id;
		struct str s;

		if (!json_to_str(v, &s) || !uuid_parse(s, &id))
			return err_set(e, ERR_INVALID, "\"%s\" holds something that is no id", key);
		db_array_uuid(out, id);
	}
	return ERR_OK;
}

enum err_code
request_check_app(struct job_run *r, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result found = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(r->conn, &APP_LIVES, &p, &found, e);
	if (rc == ERR_OK && !db_bool(&found, 0, 0))
		return err_set(e, ERR_CONFLICT, "the app was deleted");
	return rc;
}

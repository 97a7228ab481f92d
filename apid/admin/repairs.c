/* Calls that were missed are asked of Dialpad: on demand, and the list of all such repairs. */
#include "apid/handlers.h"

#include "apid/admin/repairs_db.h"
#include "apid/edge/body.h"
#include "apid/edge/columns.h"
#include "apid/edge/request.h"
#include "common/base/clock.h"
#include "common/json/json_out.h"

enum { MAX_TIME_CHARS = 40 };

static const char NO_TEXTS[] =
    "Calls alone are repaired: Dialpad has no list of texts, so texts that were missed are lost.";

/* ---- POST /internal/apps/{id}/repair ---- */

static enum err_code
read_time(const struct json *body, const char *field, int64_t *out, struct err *e)
{
	struct str text = STR_NONE;
	enum err_code rc = body_text(body, field, MAX_TIME_CHARS, &text, e);

	if (rc == ERR_OK && (text.p == NULL || !clock_parse_rfc3339(text, out)))
		return err_set(
		    e, ERR_INVALID, "field \"%s\" must be a time like 2026-02-04T22:00:00Z", field);
	return rc;
}

static enum err_code
read_range(struct http_req *req, int64_t *from, int64_t *to, struct err *e)
{
	static const char *const FIELDS[] = { "from", "to", NULL };
	AUTO(json) struct json *body = NULL;
	enum err_code rc = body_parse(req, FIELDS, &body, e);

	if (rc == ERR_OK)
		rc = read_time(body, "from", from, e);
	if (rc == ERR_OK)
		rc = read_time(body, "to", to, e);
	if (rc == ERR_OK && *from < 0)
		return err_set(e, ERR_INVALID, "field \"from\" must not be before 1970");
	if (rc == ERR_OK && *from > *to)
		return err_set(e, ERR_INVALID, "field \"to\" must not be before \"from\"");
	return rc;
}

enum err_code
repairs_create(struct http_req *req, struct http_res *res, struct err *e)
{
	struct uuid app_id;
	int64_t from, to;
	struct json_out j;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = read_range(req, &from, &to, e);
	if (rc == ERR_OK)
		rc = repairs_db_ask(req, app_id, from, to, e);
	if (rc != ERR_OK)
		return rc;
	res->status = 202;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_key(&j, "from");
	jo_time(&j, from);
	jo_key(&j, "to");
	jo_time(&j, to);
	jo_kv_str(&j, "state", STR("pending"));
	jo_kv_str(&j, "note", str_of(NO_TEXTS));
	jo_end_obj(&j);
	return ERR_OK;
}

/* ---- GET /internal/apps/{id}/repair ---- */

static struct str
state_of(const struct db_result *r, int row)
{
	bool failed = !db_null(r, row, REPAIR_LAST_ERROR);

	if (!db_null(r, row, REPAIR_NEXT_AT))
		return failed ? STR("retrying") : STR("pending");
	return failed ? STR("failed") : STR("done");
}

static void
put_repair(struct json_out *j, const struct db_result *r, int row)
{
	jo_obj(j);
	jo_key(j, "from");
	jo_time(j, db_i64(r, row, REPAIR_FROM));
	jo_key(j, "to");
	jo_time(j, db_i64(r, row, REPAIR_TO));
	jo_kv_str(j, "reason", db_str(r, row, REPAIR_REASON));
	jo_kv_str(j, "state", state_of(r, row));
	jo_kv_time(j, "asked_at", db_time(r, row, REPAIR_ASKED_AT));
	jo_kv_time(j, "finished_at", db_time(r, row, REPAIR_FINISHED_AT));
	jo_kv_time(j, "next_at", db_time(r, row, REPAIR_NEXT_AT));
	jo_kv_str(j, "last_error", db_str(r, row, REPAIR_LAST_ERROR));
	column_json(j, "result", r, row, REPAIR_RESULT, STR_NONE);
	jo_end_obj(j);
}

enum err_code
repairs_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	struct json_out j;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = repairs_db_list(req, app_id, &r, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_key(&j, "repairs");
	jo_arr(&j);
	for (int i = 0; i < db_rows(&r); i++)
		put_repair(&j, &r, i);
	jo_end_arr(&j);
	jo_kv_str(&j, "note", str_of(NO_TEXTS));
	jo_end_obj(&j);
	return ERR_OK;
}

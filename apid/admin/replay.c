/* Events again: what an admin asks for, as a task that workerd does. The log is not written. */
#include "apid/handlers.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/admin/events_db.h"
#include "apid/admin/id_list.h"
#include "apid/admin/tasks.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/request.h"
#include "common/base/clock.h"

enum { MAX_PARAMS = 64 * 1024 };

struct replay {
	const struct http_req *req;
	struct uuid app_id;
	struct db_array ids; /* empty: the range */
	int64_t from, to;
	struct str kind;
	bool dry_run;
	struct buf params; /* what workerd reads */
	char key[UUID_TEXT_BYTES];
	struct db_result *out;
};

static void
release(struct replay *w)
{
	db_array_release(&w->ids);
	buf_release(&w->params);
}

/* ---- the body ---- */

static enum err_code
read_instant(const struct json *body, const char *field, int64_t dflt, int64_t *out, struct err *e)
{
	const struct json *v = json_get(body, field);
	struct str s;

	*out = dflt;
	if (v == NULL || json_is_null(v))
		return ERR_OK;
	if (!json_to_str(v, &s) || !clock_parse_rfc3339(s, out))
		return err_set(e, ERR_INVALID, "field \"%s\" is no RFC 3339 time", field);
	return ERR_OK;
}

static enum err_code
read_kind(const struct json *body, struct str *out, struct err *e)
{
	enum err_code rc = body_text(body, "kind", 20, out, e);

	if (rc == ERR_OK && out->p != NULL && !str_eq(*out, STR("call"))
	    && !str_eq(*out, STR("message")) && !str_eq(*out, STR("other")))
		return err_set(e, ERR_INVALID, "field \"kind\" is none of: call, message, other");
	return rc;
}

static enum err_code
read_range(const struct json *body, struct replay *w, struct err *e)
{
	enum err_code rc = read_instant(body, "from", INT64_MIN, &w->from, e);

	if (rc == ERR_OK && w->from == INT64_MIN)
		return err_set(e, ERR_INVALID, "field \"from\" or \"ids\" is required");
	if (rc == ERR_OK)
		rc = read_instant(body, "to", clock_wall_ms(), &w->to, e);
	if (rc == ERR_OK && w->from >= w->to)
		return err_set(e, ERR_INVALID, "field \"from\" is not before \"to\"");
	return rc == ERR_OK ? read_kind(body, &w->kind, e) : rc;
}

static enum err_code
read_choice(const struct json *body, struct replay *w, struct err *e)
{
	bool given;
	enum err_code rc = body_bool(body, "dry_run", &given, &w->dry_run, e);

	if (rc == ERR_OK)
		rc = id_list_read(body, "ids", &w->ids, e);
	if (rc != ERR_OK || w->ids.n == 0)
		return rc == ERR_OK ? read_range(body, w, e) : rc;
	if (body_has(body, "from") || body_has(body, "to") || body_has(body, "kind"))
		return err_set(
		    e, ERR_INVALID, "field \"ids\" goes without \"from\", \"to\" and \"kind\"");
	return ERR_OK;
}

/* ---- the task ---- */

static void
put_choice(const struct replay *w, const struct json *body, struct json_out *j)
{
	jo_kv_bool(j, "dry_run", w->dry_run);
	if (w->ids.n > 0) {
		jo_key(j, "ids");
		id_list_write(json_get(body, "ids"), j);
		return;
	}
	jo_kv_i64(j, "from", w->from);
	jo_kv_i64(j, "to", w->to);
	jo_kv_str(j, "kind", w->kind);
}

static enum err_code
check_events(struct db_conn *c, const struct replay *w, struct err *e)
{
	int64_t known = 0;
	enum err_code rc =
	    w->ids.n == 0 ? ERR_OK : events_db_count(c, w->app_id, &w->ids, &known, e);

	if (rc == ERR_OK && known < w->ids.n)
		return err_set(e, ERR_INVALID,
		    "field \"ids\": this app has %d of these %d events; nothing was queued",
		    (int)known, w->ids.n);
	return rc;
}

static enum err_code
queue(struct db_conn *c, void *arg, struct err *e)
{
	const struct replay *w = arg;
	const struct task task = { "replay", w->app_id, str_of(w->key), buf_str(&w->params) };
	const struct audit_line line = {
		.app_id = w->app_id,
		.action = "events.replayed",
		.target = task.key,
		.detail = task.params,
	};
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = check_events(c, w, e);
	if (rc == ERR_OK)
		rc = tasks_queue(c, &task, w->out, e);
	return rc == ERR_OK ? audit_write(c, w->req, &line, e) : rc;
}

static enum err_code
read_request(struct http_req *req, struct json **body, struct replay *w, struct err *e)
{
	static const char *const FIELDS[] = { "ids", "from", "to", "kind", "dry_run", NULL };
	struct json_out j;
	enum err_code rc = request_only_app(req, &w->app_id, e);

	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, body, e);
	if (rc == ERR_OK)
		rc = read_choice(*body, w, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &w->params);
	jo_obj(&j);
	put_choice(w, *body, &j);
	jo_end_obj(&j);
	return ERR_OK;
}

static void
answer(const struct replay *w, struct http_res *res)
{
	struct json_out j;

	res->status = 202;
	jo_init(&j, &res->body);
	jo_obj(&j);
	tasks_render(w->out, 0, &j);
	jo_kv_bool(&j, "dry_run", w->dry_run);
	if (w->ids.n > 0) {
		jo_kv_i64(&j, "events", w->ids.n);
	} else {
		jo_key(&j, "from");
		jo_time(&j, w->from);
		jo_key(&j, "to");
		jo_time(&j, w->to);
		jo_kv_str(&j, "kind", w->kind);
	}
	jo_end_obj(&j);
}

enum err_code
replay_create(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	AUTO_RELEASE(release)
	struct replay w = { .req = req, .params = BUF(MAX_PARAMS), .out = &r };
	enum err_code rc;

	db_array_init(&w.ids, DB_UUID);
	(void)uuid_format(uuid_v7(), w.key);
	rc = read_request(req, &body, &w, e);
	if (rc == ERR_OK)
		rc = apid_admin_tx(req, queue, &w, e);
	if (rc == ERR_OK)
		answer(&w, res);
	return rc;
}

enum err_code
replay_list(struct http_req *req, struct http_res *res, struct err *e)
{
	struct uuid app_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	return rc == ERR_OK ? tasks_list(req, res, "replay", app_id, "replays", e) : rc;
}

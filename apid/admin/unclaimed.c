/* Events of the bare route that nobody got: which there are, and whose an admin says they are. */
#include "apid/handlers.h"

#include "apid/admin/events_page.h"
#include "apid/admin/id_list.h"
#include "apid/admin/tasks.h"
#include "apid/admin/unclaimed_db.h"
#include "apid/edge/body.h"
#include "apid/edge/request.h"
#include "common/dialpad/owner.h"

enum { MAX_PARAMS = 64 * 1024 };

static void
put_id(int64_t id, const char *name, struct json_out *j)
{
	jo_key(j, name);
	if (id != 0)
		jo_i64(j, id);
	else
		jo_null(j);
}

/* With what the payload names: what a rule can go by. */
static void
render_event(const struct db_result *r, int row, struct json_out *j)
{
	struct dialpad_owner owner;

	dialpad_owner_read(db_str(r, row, EVENTS_PAYLOAD), &owner);
	jo_obj(j);
	events_render(r, row, j);
	put_id(owner.organisation, "organization_id", j);
	put_id(owner.office, "office_id", j);
	put_id(owner.target, "target_id", j);
	jo_end_obj(j);
}

enum err_code
unclaimed_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(events_page_release) struct events_page page = { .list = NULL };
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct json_out j;
	enum err_code rc = events_page_read(req, UUID_NIL, true, &page, e);

	if (rc == ERR_OK)
		rc = events_db_list(req, UUID_NIL, page.form, &page.p, &r, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_key(&j, "events");
	jo_arr(&j);
	for (int i = 0; i < events_page_shown(&page, &r); i++)
		render_event(&r, i, &j);
	jo_end_arr(&j);
	events_page_end(req, &page, UUID_NIL, &r, &j);
	jo_end_obj(&j);
	return ERR_OK;
}

/* ---- assigning ---- */

struct wish {
	struct uuid app_id;
	struct db_array ids;
	struct claim_rule rule;
};

static void
release(struct wish *w)
{
	db_array_release(&w->ids);
}

static enum err_code
read_app(const struct json *body, struct uuid *out, struct err *e)
{
	struct str s;
	enum err_code rc = body_text(body, "app_id", UUID_TEXT_BYTES, &s, e);

	if (rc == ERR_OK && (s.p == NULL || !uuid_parse(s, out)))
		return err_set(e, ERR_INVALID, "field \"app_id\" is not the id of an app");
	return rc;
}

/* Exactly one of the three says what the app gets. */
static enum err_code
read_wish(const struct json *body, struct wish *w, struct err *e)
{
	int64_t office, target;
	enum err_code rc = read_app(body, &w->app_id, e);

	if (rc == ERR_OK)
		rc = id_list_read(body, "ids", &w->ids, e);
	if (rc == ERR_OK)
		rc = body_i64(body, "office_id", 1, INT64_MAX, 0, &office, e);
	if (rc == ERR_OK)
		rc = body_i64(body, "target_id", 1, INT64_MAX, 0, &target, e);
	if (rc != ERR_OK)
		return rc;
	if ((w->ids.n > 0) + (office != 0) + (target != 0) != 1)
		return err_set(
		    e, ERR_INVALID, "send one of the fields \"ids\", \"office_id\", \"target_id\"");
	w->rule = (struct claim_rule){
		.kind = office != 0 ? "office" : "target",
		.dialpad_id = office != 0 ? office : target,
		.app_id = w->app_id,
	};
	return ERR_OK;
}

static enum err_code
assign_events(const struct http_req *req, struct http_res *res, const struct json *body,
    const struct wish *w, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf params = BUF(MAX_PARAMS);
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct json_out j;
	enum err_code rc;

	jo_init(&j, &params);
	jo_obj(&j);
	jo_key(&j, "ids");
	id_list_write(json_get(body, "ids"), &j);
	jo_end_obj(&j);
	rc = unclaimed_db_assign(req, w->app_id, buf_str(&params), &r, e);
	if (rc != ERR_OK)
		return rc;
	res->status = 202;
	jo_init(&j, &res->body);
	jo_obj(&j);
	tasks_render(&r, 0, &j);
	jo_kv_i64(&j, "events", w->ids.n);
	jo_end_obj(&j);
	return ERR_OK;
}

enum err_code
unclaimed_assign(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "app_id", "ids", "office_id", "target_id", NULL };
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(release) struct wish w = { .app_id = UUID_NIL };
	struct json_out j;
	enum err_code rc = request_no_query(req, e);

	db_array_init(&w.ids, DB_UUID);
	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = read_wish(body, &w, e);
	if (rc != ERR_OK)
		return rc;
	if (w.ids.n > 0)
		return assign_events(req, res, body, &w, e);
	rc = rules_db_put(req, &w.rule, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	rules_render(&w.rule, &j);
	jo_end_obj(&j);
	return ERR_OK;
}

enum err_code
unclaimed_assignments(struct http_req *req, struct http_res *res, struct err *e)
{
	enum err_code rc = request_no_query(req, e);

	return rc == ERR_OK ? tasks_list(req, res, "assign", UUID_NIL, "assignments", e) : rc;
}

/* The delivery log of an app: what came, when, and what became of it. */
#include "apid/handlers.h"

#include "apid/admin/events_page.h"
#include "apid/edge/request.h"

static void
render_list(const struct http_req *req, const struct events_page *page, struct uuid app_id,
    const struct db_result *r, struct http_res *res)
{
	struct json_out j;

	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_key(&j, "events");
	jo_arr(&j);
	for (int i = 0; i < events_page_shown(page, r); i++) {
		jo_obj(&j);
		events_render(r, i, &j);
		jo_end_obj(&j);
	}
	jo_end_arr(&j);
	events_page_end(req, page, app_id, r, &j);
	jo_end_obj(&j);
}

enum err_code
events_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(events_page_release) struct events_page page = { .list = NULL };
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	enum err_code rc = request_app_id(req, &app_id, e);

	if (rc == ERR_OK)
		rc = events_page_read(req, app_id, false, &page, e);
	if (rc == ERR_OK)
		rc = events_db_list(req, app_id, page.form, &page.p, &r, e);
	if (rc == ERR_OK)
		render_list(req, &page, app_id, &r, res);
	return rc;
}

/* ---- one event ---- */

static enum err_code
answer_event(const struct http_req *req, struct http_res *res, struct uuid app_id, struct str id,
    struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid event_id;
	struct json_out j;
	enum err_code rc;

	if (!uuid_parse(id, &event_id))
		return err_set(e, ERR_NOT_FOUND, "there is no event with this id");
	rc = events_db_get(req, app_id, event_id, &r, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	events_render(&r, 0, &j);
	jo_key(&j, "payload");
	jo_raw(&j, db_str(&r, 0, EVENTS_PAYLOAD));
	jo_kv_str(&j, "payload_base64", db_str(&r, 0, EVENTS_PAYLOAD_BASE64));
	jo_end_obj(&j);
	return ERR_OK;
}

enum err_code
events_get(struct http_req *req, struct http_res *res, struct err *e)
{
	struct uuid app_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	return rc == ERR_OK ? answer_event(req, res, app_id, req->segments[1], e) : rc;
}

enum err_code
unclaimed_get(struct http_req *req, struct http_res *res, struct err *e)
{
	enum err_code rc = request_no_query(req, e);

	return rc == ERR_OK ? answer_event(req, res, UUID_NIL, req->segments[0], e) : rc;
}

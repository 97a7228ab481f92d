#include "apid/handlers.h"

#include "apid/client/calls_db.h"
#include "common/records/record_render.h"

enum err_code
calls_list(struct http_req *req, struct http_res *res, struct err *e)
{
	return list_answer(req, res, &CALLS_LIST, e);
}

enum err_code
calls_active(struct http_req *req, struct http_res *res, struct err *e)
{
	return list_answer(req, res, &CALLS_LIVE, e);
}

static void
render_event(const struct db_result *r, int row, struct json_out *j)
{
	jo_obj(j);
	jo_key(j, "event_id");
	jo_uuid(j, db_uuid(r, row, TIMELINE_EVENT_ID));
	jo_kv_str(j, "event_type", db_str(r, row, TIMELINE_EVENT_TYPE));
	jo_kv_time(j, "event_at", db_time(r, row, TIMELINE_EVENT_AT));
	jo_kv_time(j, "received_at", db_time(r, row, TIMELINE_RECEIVED_AT));
	jo_kv_str(j, "verdict", db_str(r, row, TIMELINE_VERDICT));
	jo_end_obj(j);
}

enum err_code
calls_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(item_release) struct item call = ITEM_NONE;
	AUTO_RELEASE(db_result_clear) struct db_result events = DB_RESULT_NONE;
	struct json_out j;
	enum err_code rc = item_find(req, &CALLS_ITEM, &call, e);

	if (rc == ERR_OK)
		rc = calls_timeline(req, &call.record, &events, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	render_call_members(&call.record, &j);
	jo_key(&j, "timeline");
	jo_arr(&j);
	for (int i = 0; i < db_rows(&events); i++)
		render_event(&events, i, &j);
	jo_end_arr(&j);
	jo_end_obj(&j);
	return ERR_OK;
}

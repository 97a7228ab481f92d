/* GET /internal/stats: what waits, whose it is, and which connections fail. */
#include "apid/handlers.h"

#include "apid/admin/stats_db.h"
#include "apid/edge/columns.h"
#include "apid/edge/request.h"
#include "common/base/clock.h"

static void
put_age(const struct db_result *r, int row, int col, int64_t now_ms, struct json_out *j)
{
	int64_t age_ms;

	jo_key(j, "oldest_age_seconds");
	if (db_null(r, row, col)) {
		jo_null(j);
		return;
	}
	age_ms = now_ms - db_time(r, row, col);
	jo_i64(j, age_ms > 0 ? age_ms / 1000 : 0);
}

static void
put_states(const struct db_result *r, int64_t now_ms, struct json_out *j)
{
	jo_key(j, "events");
	jo_obj(j);
	for (int i = 0; i < db_rows(r); i++) {
		jo_key_str(j, db_str(r, i, STATE_NAME));
		jo_obj(j);
		column_i64(j, "events", r, i, STATE_EVENTS);
		jo_kv_bool(j, "is_capped", db_bool(r, i, STATE_IS_CAPPED));
		put_age(r, i, STATE_OLDEST_AT, now_ms, j);
		jo_end_obj(j);
	}
	jo_end_obj(j);
}

static void
put_top(const struct db_result *r, int64_t now_ms, struct json_out *j)
{
	jo_key(j, "apps");
	jo_arr(j);
	for (int i = 0; i < db_rows(r); i++) {
		jo_obj(j);
		column_uuid(j, "app_id", r, i, TOP_APP_ID);
		jo_kv_str(j, "name", db_str(r, i, TOP_NAME));
		column_i64(j, "pending", r, i, TOP_PENDING);
		column_i64(j, "retrying", r, i, TOP_RETRYING);
		put_age(r, i, TOP_OLDEST_AT, now_ms, j);
		jo_kv_time(j, "last_event_at", db_time(r, i, TOP_LAST_EVENT_AT));
		jo_end_obj(j);
	}
	jo_end_arr(j);
}

static void
put_connections(const struct stats *s, struct json_out *j)
{
	jo_key(j, "connections");
	jo_obj(j);
	for (int i = 0; i < db_rows(&s->bonds); i++) {
		jo_key_str(j, db_str(&s->bonds, i, BOND_STATE));
		jo_i64(j, db_i64(&s->bonds, i, BOND_APPS));
	}
	jo_key(j, "failing");
	jo_arr(j);
	for (int i = 0; i < db_rows(&s->failing); i++) {
		jo_obj(j);
		column_uuid(j, "app_id", &s->failing, i, FAILING_APP_ID);
		jo_kv_str(j, "name", db_str(&s->failing, i, FAILING_NAME));
		jo_kv_str(j, "state", db_str(&s->failing, i, FAILING_STATE));
		column_i64(j, "refresh_failures", &s->failing, i, FAILING_FAILURES);
		jo_kv_str(j, "error", db_str(&s->failing, i, FAILING_ERROR));
		jo_kv_time(j, "updated_at", db_time(&s->failing, i, FAILING_AT));
		jo_end_obj(j);
	}
	jo_end_arr(j);
	jo_end_obj(j);
}

enum err_code
stats_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(stats_release) struct stats s = { .states = DB_RESULT_NONE };
	int64_t now_ms = clock_wall_ms();
	struct json_out j;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = stats_db_read(req, &s, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_time(&j, "last_event_at", db_time(&s.last, 0, 0));
	put_states(&s.states, now_ms, &j);
	put_top(&s.top, now_ms, &j);
	put_connections(&s, &j);
	jo_end_obj(&j);
	return ERR_OK;
}

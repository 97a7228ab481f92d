#include "apid/client/connection_db.h"

#include "apid/apid.h"
#include "common/base/clock.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DAYS_OF_LOG = 3 };

/* $2: the scopes that are asked for, parted by blanks. */
static const struct db_stmt BOND = {
	.name = "connection_bond",
	.sql = "SELECT state, last_error, environment, dialpad_org_id, company_name, connected_at,"
	       " connected_by, array_to_json(scopes), array_to_json(ARRAY("
	       "SELECT asked FROM unnest(string_to_array($2, ' ')) AS asked"
	       " WHERE asked <> ALL (scopes)))"
	       " FROM dialpad_connections WHERE app_id = $1",
};

static const struct db_stmt HOOK = {
	.name = "connection_hook",
	.sql = "SELECT CASE WHEN last_error IS NOT NULL THEN 'failing'"
	       " WHEN webhook_id IS NULL THEN 'pending' ELSE 'active' END, hook_url,"
	       " CASE WHEN json_typeof(subscriptions) = 'array' THEN (SELECT json_agg("
	       "json_build_object('kind', one->'kind', 'state', one->'state'))"
	       " FROM json_array_elements(subscriptions) AS one) END"
	       " FROM dialpad_webhooks WHERE app_id = $1 AND state = 'current'"
	       " ORDER BY hook DESC LIMIT 1",
};

/* Of the last days the log itself; what is older is known by the records that came of it. */
static const struct db_stmt LAST_EVENT = {
	.name = "connection_last_event",
	.sql = "SELECT GREATEST("
	       "(SELECT max(received_at) FROM event_log"
	       " WHERE app_id = $1 AND received_at >= $2 AND received_at < $3),"
	       "(SELECT max(updated_at) FROM calls WHERE app_id = $1),"
	       "(SELECT max(updated_at) FROM messages WHERE app_id = $1))",
};

enum err_code
connection_db_read(const struct http_req *req, struct connection *out, struct err *e)
{
	const struct apid *api = req->self;
	AUTO_RELEASE(db_params_release) struct db_params scopes, app, days;
	const struct db_query queries[] = {
		{ &BOND, &scopes, DB_PLAN_AUTO },
		{ &HOOK, &app, DB_PLAN_AUTO },
		{ &LAST_EVENT, &days, DB_PLAN_EACH_TIME },
	};
	struct db_result results[3];
	enum err_code rc;

	db_params_init(&scopes);
	db_params_init(&app);
	db_params_init(&days);
	db_p_uuid(&scopes, req->app_id);
	db_p_text(&scopes, str_of(api->conf->dialpad.scopes));
	db_p_uuid(&app, req->app_id);
	db_p_uuid(&days, req->app_id);
	db_p_time(&days, clock_wall_ms() - DAYS_OF_LOG * (int64_t)DAY_MS);
	db_p_time(&days, clock_wall_ms() + (int64_t)DAY_MS);
	rc = apid_tenant_read(req, queries, 3, results, e);
	if (rc == ERR_OK)
		*out = (struct connection){ results[0], results[1], results[2] };
	return rc;
}

void
connection_release(struct connection *c)
{
	db_result_clear(&c->bond);
	db_result_clear(&c->hook);
	db_result_clear(&c->event);
}

#include "apid/admin/checklist_db.h"

#include "apid/admin/apps_db.h"
#include "apid/apid.h"

/* Without one of these Dialpad does not give what the API promises. */
#define NEEDED_SCOPES \
	"ARRAY['calls:list', 'recordings_export', 'message_content_export', 'offline_access']"

static const struct db_stmt GET = {
	.name = "checklist_get",
	.sql =
	    "SELECT a.is_active, (SELECT count(*) FROM api_keys k WHERE k.app_id = a.app_id"
	    "   AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())),"
	    " CASE WHEN c.environment <> $2 THEN 'needs_reconnect' ELSE c.state END,"
	    " c.company_name, CASE WHEN c.environment <> $2 THEN 'connected at Dialpad''s '"
	    "   || c.environment || ', and this server uses ' || $2 || ' now: disconnect with"
	    " forget_company, and connect again' ELSE c.last_error END,"
	    " array_to_string(ARRAY(SELECT s FROM unnest(" NEEDED_SCOPES ") AS s"
	    "   WHERE s <> ALL (coalesce(c.scopes, '{}')) AND s || ':all' <> ALL (c.scopes)), ' '),"
	    " w.webhook_id IS NOT NULL AND w.last_checked_at IS NOT NULL AND w.last_error IS NULL,"
	    " coalesce(w.last_error, j.last_error),"
	    " (SELECT max(received_at) FROM event_log e WHERE e.app_id = a.app_id"
	    "   AND e.source = 'webhook' AND e.received_at > now() - interval '7 days'),"
	    " (SELECT coalesce(json_agg(job_key ORDER BY job_key), '[]') FROM jobs al"
	    "   WHERE al.kind = 'alert' AND al.app_id = a.app_id)"
	    " FROM apps a LEFT JOIN dialpad_connections c USING (app_id)"
	    " LEFT JOIN LATERAL (SELECT * FROM dialpad_webhooks h WHERE h.app_id = a.app_id"
	    "   AND h.state = 'current' ORDER BY hook DESC LIMIT 1) w ON true"
	    " LEFT JOIN jobs j ON j.kind = 'provision' AND j.app_id = a.app_id AND j.job_key = ''"
	    " WHERE a.app_id = $1",
};

struct work {
	const char *environment;
	struct uuid app_id;
	struct db_result *out;
};

static enum err_code
get(struct db_conn *c, void *arg, struct err *e)
{
	const struct work *w = arg;
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc = apps_db_check(c, w->app_id, e);

	if (rc != ERR_OK)
		return rc;
	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	db_p_text(&p, str_of(w->environment));
	db_result_clear(w->out);
	return db_exec(c, &GET, &p, w->out, e);
}

enum err_code
checklist_db_get(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	const struct apid *api = req->self;
	struct work w = { api->conf->dialpad_env, app_id, out };

	return apid_admin_tx(req, get, &w, e);
}

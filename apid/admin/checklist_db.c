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
	    " c.state, c.environment, c.company_name, c.last_error,"
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

enum err_code
checklist_db_get(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	return apps_db_tell(req, app_id, &GET, out, e);
}

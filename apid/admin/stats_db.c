#include "apid/admin/stats_db.h"

#include "apid/apid.h"

#define NIL "'00000000-0000-0000-0000-000000000000'"
/* The days to come have their partitions already. */
#define UNTIL_NOW "l.received_at < now() + interval '1 day'"

/* Every assigned event has an outcome, of the nil app: above it begin the apps, of which only what
 * failed has one. */
static const struct db_stmt STATES = {
	.name = "stats_states",
	.sql =
	    "SELECT 'pending', count(*) FILTER (WHERE attempts = 0), false,"
	    "   min(received_at) FILTER (WHERE attempts = 0) FROM event_queue"
	    " UNION ALL SELECT 'retrying', count(*) FILTER (WHERE attempts > 0), false,"
	    "   min(received_at) FILTER (WHERE attempts > 0) FROM event_queue"
	    " UNION ALL (SELECT v.verdict, count(o.verdict), sum(count(o.verdict)) OVER () >= $1,"
	    "     min(o.received_at)"
	    "   FROM (VALUES ('dead'), ('quarantined'), ('retired_hook'), ('unknown_app'))"
	    "     AS v (verdict)"
	    "   LEFT JOIN (SELECT verdict, received_at FROM event_outcomes"
	    "     WHERE app_id > " NIL " LIMIT $1) AS o USING (verdict) GROUP BY v.verdict)"
	    " UNION ALL SELECT 'unclaimed', count(*), count(*) >= $1, min(received_at)"
	    "   FROM (SELECT received_at FROM event_outcomes WHERE app_id = " NIL
	    "     AND verdict = 'unclaimed' LIMIT $1) AS u",
};

static const struct db_stmt TOP = {
	.name = "stats_top",
	.sql =
	    "SELECT q.app_id, a.name, q.pending, q.retrying, q.oldest_at, l.received_at FROM ("
	    "   SELECT app_id, count(*) FILTER (WHERE attempts = 0) AS pending,"
	    "     count(*) FILTER (WHERE attempts > 0) AS retrying, min(received_at) AS oldest_at"
	    "   FROM event_queue GROUP BY app_id ORDER BY count(*) DESC, app_id LIMIT 20) AS q"
	    " LEFT JOIN apps AS a USING (app_id)"
	    " LEFT JOIN LATERAL (SELECT received_at FROM event_log AS l"
	    "   WHERE l.app_id = q.app_id AND " UNTIL_NOW
	    "   ORDER BY l.received_at DESC LIMIT 1) AS l ON true"
	    " ORDER BY q.pending + q.retrying DESC, q.app_id",
};

/* The log has no index on time alone: one look for each app. */
static const struct db_stmt LAST = {
	.name = "stats_last",
	.sql = "SELECT max(l.received_at) FROM apps AS a CROSS JOIN LATERAL ("
	       "   SELECT received_at FROM event_log AS l WHERE l.app_id = a.app_id"
	       "   AND l.received_at > now() - interval '7 days' AND " UNTIL_NOW
	       "   ORDER BY l.received_at DESC LIMIT 1) AS l",
};

static const struct db_stmt BONDS = {
	.name = "stats_bonds",
	.sql = "SELECT s.state, count(c.app_id) FROM (VALUES ('connected'), ('needs_reconnect'),"
	       "   ('never_connected'), ('disconnected')) AS s (state)"
	       " LEFT JOIN (SELECT a.app_id, COALESCE(c.state, 'never_connected') AS state"
	       "   FROM apps AS a LEFT JOIN dialpad_connections AS c USING (app_id)"
	       "   WHERE a.deleted_at IS NULL AND a.app_id <> " NIL ") AS c USING (state)"
	       " GROUP BY s.state",
};

static const struct db_stmt FAILING = {
	.name = "stats_failing",
	.sql = "SELECT app_id, a.name, c.state, c.refresh_failures, c.last_error, c.updated_at"
	       " FROM dialpad_connections AS c JOIN apps AS a USING (app_id)"
	       " WHERE a.deleted_at IS NULL AND (c.state = 'needs_reconnect'"
	       "   OR c.state = 'connected' AND c.refresh_failures > 0)"
	       " ORDER BY c.updated_at DESC, app_id LIMIT 100",
};

void
stats_release(struct stats *s)
{
	db_result_clear(&s->states);
	db_result_clear(&s->top);
	db_result_clear(&s->last);
	db_result_clear(&s->bonds);
	db_result_clear(&s->failing);
}

static enum err_code
read_all(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params most;
	struct stats *s = arg;
	enum err_code rc;

	stats_release(s);
	db_params_init(&most);
	db_p_i64(&most, STATS_MOST);
	rc = db_command(c, "SET LOCAL plan_cache_mode = force_custom_plan", e);
	if (rc == ERR_OK)
		rc = db_exec(c, &STATES, &most, &s->states, e);
	if (rc == ERR_OK)
		rc = db_exec(c, &TOP, NULL, &s->top, e);
	if (rc == ERR_OK)
		rc = db_exec(c, &LAST, NULL, &s->last, e);
	if (rc == ERR_OK)
		rc = db_exec(c, &BONDS, NULL, &s->bonds, e);
	return rc == ERR_OK ? db_exec(c, &FAILING, NULL, &s->failing, e) : rc;
}

enum err_code
stats_db_read(const struct http_req *req, struct stats *out, struct err *e)
{
	return apid_admin_tx(req, read_all, out, e);
}

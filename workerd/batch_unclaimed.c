#include "workerd/batch_unclaimed.h"

#include "common/base/log.h"
#include "common/json/json_in.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * Who may take such events: apps that an admin marked, or the only app there is, while SINGLE_TENANT
 * is auto. They are given away only when exactly one app may take them.
 */
static const struct db_stmt ELIGIBLE = {
	.name = "unclaimed_eligible",
	.sql = "WITH tenants AS (SELECT app_id, accepts_bare, count(*) OVER () AS n FROM apps"
	       "   WHERE deleted_at IS NULL AND app_id <> '00000000-0000-0000-0000-000000000000')"
	       " SELECT app_id FROM tenants WHERE accepts_bare OR ($1 AND n = 1) LIMIT 2",
};

static const struct db_stmt COPY_TO_LOG = {
	.name = "unclaimed_copy_to_log",
	.sql = "INSERT INTO event_log (app_id, event_id, arrived_at, source, event_type,"
	       "   dialpad_event_id, event_at, payload, payload_raw, origin_event_id)"
	       " SELECT $2, u.new_id, l.arrived_at, 'assigned', l.event_type,"
	       "   l.dialpad_event_id, l.event_at, l.payload, l.payload_raw, l.event_id"
	       " FROM unnest($3, $4) AS u (old_id, new_id)"
	       " JOIN event_queue q ON q.app_id = $1 AND q.event_id = u.old_id"
	       " CROSS JOIN LATERAL (SELECT * FROM event_log"
	       "   WHERE app_id = $1 AND received_at = q.received_at AND event_id = q.event_id"
	       "   LIMIT 1) l",
};

static const struct db_stmt COPY_TO_QUEUE = {
	.name = "unclaimed_copy_to_queue",
	.sql = "INSERT INTO event_queue (app_id, event_id) SELECT $1, unnest($2)",
};

static enum err_code
find_eligible(struct db_conn *c, bool single_tenant, struct uuid *app_id, int *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_bool(&p, single_tenant);
	rc = db_exec(c, &ELIGIBLE, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*n = db_rows(&r);
	if (*n == 1)
		*app_id = db_uuid(&r, 0, 0);
	return ERR_OK;
}

static enum err_code
copy(struct db_conn *c, struct uuid to, const struct queue_event *events, int n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params log, queue;
	AUTO_RELEASE(db_array_release) struct db_array old_ids, new_ids;
	enum err_code rc;

	db_array_init(&old_ids, DB_UUID);
	db_array_init(&new_ids, DB_UUID);
	for (int i = 0; i < n; i++) {
		db_array_uuid(&old_ids, events[i].id);
		db_array_uuid(&new_ids, uuid_v7());
	}
	db_params_init(&log);
	db_params_init(&queue);
	db_p_uuid(&log, UUID_NIL);
	db_p_uuid(&log, to);
	db_p_array(&log, &old_ids);
	db_p_array(&log, &new_ids);
	db_p_uuid(&queue, to);
	db_p_array(&queue, &new_ids);
	rc = db_exec(c, &COPY_TO_LOG, &log, NULL, e);
	return rc != ERR_OK ? rc : db_exec(c, &COPY_TO_QUEUE, &queue, NULL, e);
}

/* ---- why nobody took it ---- */

/* The organisation a payload names, in the spellings met; 0 when it names none. */
static int64_t
organisation(struct str payload)
{
	static const char *const keys[] = { "organization_id", "org_id", "company_id" };
	AUTO(json) struct json *claims = NULL;
	struct err ignored;
	int64_t id;

	if (payload.p == NULL || json_parse(payload, &claims, &ignored) != ERR_OK)
		return 0;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (json_get_i64(claims, keys[i], &id))
			return id;
	return json_get_i64(json_get(claims, "company"), "id", &id) ? id : 0;
}

static void
reason(struct str payload, int eligible, char *out, size_t size)
{
	const char *why = eligible == 0
	    ? "no app accepts events of the bare webhook URL"
	    : "more than one app accepts events of the bare webhook URL";
	int64_t org = organisation(payload);

	if (org != 0)
		(void)snprintf(out, size, "Unknown app: %" PRId64 " (%s)", org, why);
	else
		(void)snprintf(out, size, "Unknown app: %s", why);
}

static enum err_code
record_outcomes(
    struct db_conn *c, const struct queue_event *events, int n, int eligible, struct err *e)
{
	enum err_code rc = ERR_OK;
	char why[160];

	for (int i = 0; i < n && rc == ERR_OK; i++) {
		if (eligible == 1) {
			rc = queue_outcome(c, UUID_NIL, &events[i], "assigned", NULL, e);
		} else {
			reason(events[i].payload, eligible, why, sizeof why);
			rc = queue_outcome(c, UUID_NIL, &events[i], "unclaimed", why, e);
		}
	}
	return rc;
}

enum err_code
batch_unclaimed(struct db_conn *c, const struct batch_opts *o, const struct queue_event *events,
    int n, struct batch_report *out, struct err *e)
{
	struct uuid to;
	int64_t last_seq;
	int eligible;
	enum err_code rc = find_eligible(c, o->single_tenant, &to, &eligible, e);

	if (rc == ERR_OK && eligible == 1)
		rc = copy(c, to, events, n, e);
	if (rc == ERR_OK)
		rc = record_outcomes(c, events, n, eligible, e);
	if (rc == ERR_OK)
		rc = queue_remove(c, UUID_NIL, events, n, e);
	if (rc == ERR_OK)
		rc = queue_served(c, UUID_NIL, 0, &last_seq, e);
	if (rc != ERR_OK || eligible == 1)
		return rc;
	out->set_aside = n;
	log_warn("event.unclaimed", "events=%d eligible_apps=%d", n, eligible);
	return ERR_OK;
}

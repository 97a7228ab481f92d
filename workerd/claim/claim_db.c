#include "workerd/claim/claim_db.h"

/* The numbers are those of enum claim_kind. A company outlives its connection, so the state of that
 * does not matter. A deleted app's rules count for nothing. */
static const struct db_stmt LOAD = {
	.name = "claims_load",
	.sql = "WITH " CLAIM_TENANTS
	       " SELECT CASE r.kind WHEN 'target' THEN 0 ELSE 1 END, r.dialpad_id, r.app_id,"
	       "   EXISTS (SELECT 1 FROM eligible e WHERE e.app_id = r.app_id)"
	       " FROM claim_rules r JOIN tenants USING (app_id)"
	       " WHERE r.kind = 'target' AND r.dialpad_id = ANY ($2)"
	       "   OR r.kind = 'office' AND r.dialpad_id = ANY ($3)"
	       " UNION ALL SELECT 2, c.dialpad_org_id, app_id, true"
	       " FROM eligible JOIN dialpad_connections c USING (app_id)"
	       " WHERE c.dialpad_org_id = ANY ($4)"
	       " UNION ALL SELECT 3, office.id, app_id, true"
	       " FROM eligible JOIN dialpad_connections c USING (app_id)"
	       " CROSS JOIN LATERAL unnest(c.office_ids) AS office (id) WHERE office.id = ANY ($3)"
	       " UNION ALL (SELECT 4, 0, app_id, true FROM eligible LIMIT 2)",
};

_Static_assert(CLAIM_TARGET_RULE == 0 && CLAIM_OFFICE_RULE == 1 && CLAIM_ORGANISATION == 2
	&& CLAIM_OFFICE == 3 && CLAIM_ELIGIBLE == 4,
    "the numbers in LOAD");

static const struct db_stmt GIVE = {
	.name = "claims_give",
	.sql = "WITH fresh AS (INSERT INTO event_log (app_id, event_id, arrived_at, source, "
	       "event_type,"
	       "     dialpad_event_id, event_at, payload, payload_raw, origin_event_id)"
	       "   SELECT gift.app_id, gift.copy_id, l.arrived_at, 'assigned', l.event_type,"
	       "     l.dialpad_event_id, l.event_at, l.payload, l.payload_raw, l.event_id"
	       "   FROM unnest($2, $3, $4) AS gift (origin_id, app_id, copy_id)"
	       "   JOIN event_queue q ON q.app_id = $1 AND q.event_id = gift.origin_id"
	       "   CROSS JOIN LATERAL (SELECT * FROM event_log"
	       "     WHERE app_id = $1 AND received_at = q.received_at AND event_id = q.event_id"
	       "     LIMIT 1) l"
	       "   WHERE NOT EXISTS (SELECT 1 FROM event_log copy"
	       "     WHERE copy.app_id = gift.app_id AND copy.event_id = gift.copy_id OFFSET 0)"
	       "   RETURNING app_id, event_id, received_at)"
	       " INSERT INTO event_queue (app_id, event_id, received_at) SELECT * FROM fresh",
};

/* The id by which claims of this kind are found; 0: the event names none. */
static int64_t
named(const struct dialpad_owner *f, enum claim_kind kind)
{
	switch (kind) {
	case CLAIM_TARGET_RULE: return f->target;
	case CLAIM_OFFICE_RULE:
	case CLAIM_OFFICE: return f->office;
	case CLAIM_ORGANISATION: return f->organisation;
	case CLAIM_ELIGIBLE: break;
	}
	return 0;
}

static void
add_ids(struct db_params *p, const struct dialpad_owner *facts, int n, enum claim_kind kind)
{
	AUTO_RELEASE(db_array_release) struct db_array ids;

	db_array_init(&ids, DB_I64);
	for (int i = 0; i < n; i++)
		if (named(&facts[i], kind) != 0)
			db_array_i64(&ids, named(&facts[i], kind));
	db_p_array(p, &ids);
}

enum err_code
claims_load(struct db_conn *c, bool single_tenant, const struct dialpad_owner *facts, int nfacts,
    struct arena *a, struct claim **out, int *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_bool(&p, single_tenant);
	add_ids(&p, facts, nfacts, CLAIM_TARGET_RULE);
	add_ids(&p, facts, nfacts, CLAIM_OFFICE);
	add_ids(&p, facts, nfacts, CLAIM_ORGANISATION);
	rc = db_exec(c, &LOAD, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*n = db_rows(&r);
	*out = arena_new(a, struct claim, (size_t)*n + 1);
	for (int i = 0; i < *n; i++)
		(*out)[i] = (struct claim){
			.kind = (enum claim_kind)db_i64(&r, i, 0),
			.dialpad_id = db_i64(&r, i, 1),
			.app_id = db_uuid(&r, i, 2),
			.eligible = db_bool(&r, i, 3),
		};
	return ERR_OK;
}

/* A version 7 id, as old as the original so that it takes its turn by age; what is random in other
 * ids is a hash of both here. */
static struct uuid
copy_id(const struct claim_gift *g)
{
	enum { TIME_BYTES = 6 };
	struct uuid id =
	    uuid_v5(g->app_id, (struct str){ (const char *)g->event_id.b, sizeof g->event_id.b });

	memcpy(id.b, g->event_id.b, TIME_BYTES);
	id.b[TIME_BYTES] = (uint8_t)((id.b[TIME_BYTES] & 0x0f) | 0x70);
	return id;
}

enum err_code
claims_give(struct db_conn *c, const struct claim_gift *gifts, int n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array origins, apps, copies;

	db_params_init(&p);
	db_array_init(&origins, DB_UUID);
	db_array_init(&apps, DB_UUID);
	db_array_init(&copies, DB_UUID);
	if (n == 0)
		return ERR_OK;
	for (int i = 0; i < n; i++) {
		db_array_uuid(&origins, gifts[i].event_id);
		db_array_uuid(&apps, gifts[i].app_id);
		db_array_uuid(&copies, copy_id(&gifts[i]));
	}
	db_p_uuid(&p, UUID_NIL);
	db_p_array(&p, &origins);
	db_p_array(&p, &apps);
	db_p_array(&p, &copies);
	return db_exec(c, &GIVE, &p, NULL, e);
}

#include "workerd/batch/tenant_db.h"

#define FREE "(batch_mark IS NULL OR batch_mark < now() - $1 * interval '1 ms')"

/* OFFSET 0 keeps the planner from joining: it would read the whole queue to find one row each. */
#define DUE                                                             \
	"EXISTS (SELECT 1 FROM event_queue q WHERE q.app_id = h.app_id" \
	" AND q.next_attempt_at <= now() OFFSET 0)"

/* Of all tenants down the line the first that has work and is not locked: only those before it are
 * looked at, which matters when a queue has many dead rows. */
#define FIRST_DUE                                                                         \
	"SELECT h.app_id, h.batch_mark FROM (SELECT app_id FROM tenant_heads WHERE " FREE \
	"   ORDER BY served_at NULLS FIRST OFFSET 0) line,"                               \
	" LATERAL (SELECT q.app_id FROM event_queue q WHERE q.app_id = line.app_id"       \
	"   AND q.next_attempt_at <= now() LIMIT 1) due,"                                 \
	" LATERAL (SELECT app_id, batch_mark FROM tenant_heads WHERE app_id = due.app_id" \
	"   AND " FREE " FOR UPDATE SKIP LOCKED) h LIMIT 1"

#define THIS_ONE(lock)                                                            \
	"SELECT app_id, batch_mark FROM tenant_heads WHERE app_id = $2 AND " FREE \
	" FOR UPDATE " lock

/* Marks the tenant that `next` gives. */
#define MARKED(next)                                                            \
	"WITH hurry AS (SELECT set_config('synchronous_commit', 'off', true))," \
	" next AS MATERIALIZED (" next "),"                                     \
	" marked AS (UPDATE tenant_heads t SET batch_mark = clock_timestamp()"  \
	"   FROM next, hurry WHERE t.app_id = next.app_id"                      \
	"   RETURNING t.app_id, next.batch_mark IS NOT NULL AS died,"           \
	"   EXISTS (SELECT 1 FROM dialpad_webhooks w WHERE w.app_id = t.app_id" \
	"     AND w.retired_at <= now()) AS has_retired)"

/* One row, also when there is nobody to serve. */
static const struct db_stmt CLAIM = {
	.name = "tenant_claim",
	.sql =
	    MARKED(FIRST_DUE) " SELECT m.app_id, m.died, m.has_retired, CASE WHEN m.app_id IS NULL"
			      "   THEN EXISTS (SELECT 1 FROM tenant_heads h WHERE " DUE ") END"
			      " FROM (SELECT) one LEFT JOIN marked m ON true",
};

static const struct db_stmt CLAIM_ONE = {
	.name = "tenant_claim_one",
	.sql = MARKED(THIS_ONE("SKIP LOCKED")) " SELECT app_id, died, has_retired FROM marked",
};

static const struct db_stmt CLAIM_NEXT = {
	.name = "tenant_claim_next",
	.sql = MARKED(THIS_ONE("")) " SELECT app_id, died, has_retired FROM marked",
};

static const struct db_stmt LOCK = {
	.name = "tenant_lock",
	.sql = "SELECT 1 FROM tenant_heads WHERE app_id = $1 FOR UPDATE SKIP LOCKED",
};

static const struct db_stmt SERVED = {
	.name = "tenant_served",
	.sql = "UPDATE tenant_heads SET last_seq = last_seq + $2, served_at = clock_timestamp(),"
	       "   batch_mark = CASE WHEN $3 THEN clock_timestamp() END"
	       " WHERE app_id = $1",
};

static const struct db_stmt RELEASE = {
	.name = "tenant_release",
	.sql = "UPDATE tenant_heads SET batch_mark = NULL, served_at = clock_timestamp()"
	       " WHERE app_id = $1",
};

static const struct db_stmt RENEW = {
	.name = "tenant_renew",
	.sql = "UPDATE tenant_heads SET batch_mark = clock_timestamp() WHERE app_id = $1",
};

static void
read_tenant(const struct db_result *r, struct tenant *out)
{
	*out = (struct tenant){
		.app_id = db_uuid(r, 0, 0),
		.died = db_bool(r, 0, 1),
		.has_retired = db_bool(r, 0, 2),
	};
}

enum err_code
tenant_claim(struct db_conn *c, struct tenant *out, bool *found, bool *due, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_i64(&p, TENANT_STALE_MS);
	rc = db_exec(c, &CLAIM, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*found = !db_null(&r, 0, 0);
	*due = db_bool(&r, 0, 3);
	if (*found)
		read_tenant(&r, out);
	return ERR_OK;
}

enum err_code
tenant_claim_one(struct db_conn *c, struct uuid app_id, bool wait, struct tenant *out, bool *found,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_i64(&p, TENANT_STALE_MS);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, wait ? &CLAIM_NEXT : &CLAIM_ONE, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*found = db_rows(&r) > 0;
	if (*found)
		read_tenant(&r, out);
	return ERR_OK;
}

enum err_code
tenant_lock(struct db_conn *c, struct uuid app_id, bool *locked, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, &LOCK, &p, &r, e);
	if (rc == ERR_OK)
		*locked = db_rows(&r) > 0;
	return rc;
}

enum err_code
tenant_lock_later(struct db_conn *c, struct uuid app_id, struct db_result *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	return db_exec_later(c, &LOCK, &p, r, e);
}

enum err_code
tenant_served(
    struct db_conn *c, struct uuid app_id, int64_t feed_rows, bool keep_mark, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i64(&p, feed_rows);
	db_p_bool(&p, keep_mark);
	return db_exec_later(c, &SERVED, &p, NULL, e);
}

static enum err_code
update(struct db_conn *c, const struct db_stmt *s, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	return db_exec(c, s, &p, NULL, e);
}

enum err_code
tenant_release(struct db_conn *c, struct uuid app_id, struct err *e)
{
	return update(c, &RELEASE, app_id, e);
}

enum err_code
tenant_renew(struct db_conn *c, struct uuid app_id, struct err *e)
{
	return update(c, &RENEW, app_id, e);
}

/*
 * A tenant's read as one pipeline. The tenant is set by SET LOCAL with a literal, and not by
 * set_config(): a distributed PostgreSQL passes only the former on to its nodes.
 */
#include "common/db/db_priv.h"

#include <assert.h>
#include <stdio.h>

enum { MAX_QUERIES = 4 };

static enum err_code
send_plan_mode(struct db_conn *c, enum db_plan plan, struct err *e)
{
	static const char *const sql[] = {
		[DB_PLAN_AUTO] = "SET LOCAL plan_cache_mode = auto",
		[DB_PLAN_ONCE] = "SET LOCAL plan_cache_mode = force_generic_plan",
		[DB_PLAN_EACH_TIME] = "SET LOCAL plan_cache_mode = force_custom_plan",
	};

	return db_pipe_plain(c, "SET LOCAL plan_cache_mode", sql[plan], false, e);
}

static enum err_code
send_queries(struct db_conn *c, const struct db_query *queries, int n, struct db_result *results,
    struct err *e)
{
	enum db_plan plan = DB_PLAN_AUTO;
	enum err_code rc = ERR_OK;

	for (int i = 0; i < n && rc == ERR_OK; i++) {
		if (queries[i].plan != plan)
			rc = send_plan_mode(c, queries[i].plan, e);
		plan = queries[i].plan;
		if (rc == ERR_OK)
			rc = db_pipe_stmt(c, queries[i].stmt, queries[i].params, &results[i], e);
	}
	return rc;
}

static enum err_code
send_all(struct db_conn *c, struct uuid app_id, const struct db_query *queries, int n,
    struct db_result *results, struct err *e)
{
	char id[UUID_TEXT_BYTES], set_local[80];
	enum err_code rc = db_pipe_plain(c, "BEGIN", "BEGIN READ ONLY", false, e);

	(void)snprintf(
	    set_local, sizeof(set_local), "SET LOCAL cti.app_id = '%s'", uuid_format(app_id, id));
	if (rc == ERR_OK)
		rc = db_pipe_plain(c, "SET LOCAL cti.app_id", set_local, false, e);
	if (rc == ERR_OK)
		rc = send_queries(c, queries, n, results, e);
	return rc == ERR_OK ? db_pipe_plain(c, "COMMIT", "COMMIT", false, e) : rc;
}

static enum err_code
read_once(struct db_conn *c, struct uuid app_id, const struct db_query *queries, int n,
    struct db_result *results, struct err *e)
{
	enum err_code rc = send_all(c, app_id, queries, n, results, e);
	bool stale;

	if (rc == ERR_OK)
		rc = db_settle(c, e);
	if (rc == ERR_OK)
		return ERR_OK;
	stale = c->stale_plan;
	db_rollback(c); /* COMMIT was skipped */
	c->stale_plan = stale;
	for (int i = 0; i < n; i++)
		db_result_clear(&results[i]);
	return rc;
}

enum err_code
db_tenant_read(struct db_conn *c, struct uuid app_id, const struct db_query *queries, int n,
    struct db_result *results, struct err *e)
{
	int64_t until = c->until;
	enum err_code rc;

	if (c->pg != NULL && PQtransactionStatus(c->pg) != PQTRANS_IDLE)
		return err_set(e, ERR_INTERNAL, "tenant read: inside a transaction");
	assert(n <= MAX_QUERIES);
	for (int i = 0; i < n; i++)
		results[i] = DB_RESULT_NONE;
	c->until = db_deadline(c); /* of all its statements together */
	c->stale_plan = false;
	rc = read_once(c, app_id, queries, n, results, e);
	if (rc != ERR_OK && c->stale_plan)
		rc = read_once(c, app_id, queries, n, results, e);
	c->until = until;
	return rc;
}

/*
 * A tenant's read as one pipeline. The tenant is set by SET LOCAL with a literal, and not by
 * set_config(): a distributed PostgreSQL passes only the former on to its nodes.
 */
#include "common/db/db_priv.h"

#include <assert.h>
#include <stdio.h>

enum {
	MAX_QUERIES = 4,
	MAX_STEPS = 3 + 2 * MAX_QUERIES, /* BEGIN, SET LOCAL, COMMIT; with each query a SET LOCAL */
	NO_QUERY = -1,
};

/* One command of the pipeline. */
struct step {
	const char *name;
	int query;
};

struct read {
	struct db_conn *c;
	const struct db_query *queries;
	int n;
	struct db_result *results;
	int64_t deadline;
	struct step steps[MAX_STEPS]; /* that were sent */
	int nsteps;
};

static void
note_step(struct read *t, const char *name, int query)
{
	assert(t->nsteps < MAX_STEPS);
	t->steps[t->nsteps++] = (struct step){ name, query };
}

static bool
send_plain(struct read *t, const char *name, const char *sql)
{
	note_step(t, name, NO_QUERY);
	return PQsendQueryParams(t->c->pg, sql, 0, NULL, NULL, NULL, NULL, 1) != 0;
}

/* Queries are prepared before the pipeline begins: to prepare is to wait for an answer. */
static enum err_code
prepare_all(const struct read *t, struct err *e)
{
	for (int i = 0; i < t->n; i++) {
		const struct db_query *q = &t->queries[i];
		struct db_args a;
		enum err_code rc = db_args_fill(&a, q->params, q->stmt->name, e);

		if (rc == ERR_OK)
			rc = db_stmt_ready(t->c, q->stmt, &a, t->deadline, e);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static bool
send_plan_mode(struct read *t, enum db_plan plan)
{
	static const char *const sql[] = {
		[DB_PLAN_AUTO] = "SET LOCAL plan_cache_mode = auto",
		[DB_PLAN_ONCE] = "SET LOCAL plan_cache_mode = force_generic_plan",
		[DB_PLAN_EACH_TIME] = "SET LOCAL plan_cache_mode = force_custom_plan",
	};

	return send_plain(t, "SET LOCAL plan_cache_mode", sql[plan]);
}

static bool
send_query(struct read *t, int i)
{
	const struct db_query *q = &t->queries[i];
	struct db_args a;
	struct err e;

	note_step(t, q->stmt->name, i);
	/* prepare_all has seen that the parameters fit. */
	return db_args_fill(&a, q->params, q->stmt->name, &e) == ERR_OK
	    && db_stmt_send(t->c, q->stmt, &a);
}

static bool
send_queries(struct read *t)
{
	enum db_plan plan = DB_PLAN_AUTO;

	for (int i = 0; i < t->n; i++) {
		if (t->queries[i].plan != plan && !send_plan_mode(t, t->queries[i].plan))
			return false;
		plan = t->queries[i].plan;
		if (!send_query(t, i))
			return false;
	}
	return true;
}

static bool
send_all(struct read *t, struct uuid app_id)
{
	char id[UUID_TEXT_BYTES], set_local[80];

	(void)snprintf(
	    set_local, sizeof(set_local), "SET LOCAL cti.app_id = '%s'", uuid_format(app_id, id));
	t->nsteps = 0;
	return PQenterPipelineMode(t->c->pg) && send_plain(t, "BEGIN", "BEGIN READ ONLY")
	    && send_plain(t, "SET LOCAL cti.app_id", set_local) && send_queries(t)
	    && send_plain(t, "COMMIT", "COMMIT") && PQpipelineSync(t->c->pg);
}

/* Keep a result that is wanted; tell the first error. What follows an error was not run. */
static enum err_code
take_result(
    const struct read *t, const struct step *s, PGresult *r, enum err_code so_far, struct err *e)
{
	ExecStatusType status = PQresultStatus(r);
	enum err_code rc = so_far;

	if (so_far == ERR_OK && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		rc = db_err_result(t->c, s->name, r, e);
		if (t->c->stale_plan && s->query != NO_QUERY)
			db_stmt_forget(t->c, t->queries[s->query].stmt);
	}
	if (rc == ERR_OK && s->query != NO_QUERY)
		t->results[s->query].res = r;
	else
		PQclear(r);
	return rc;
}

/*
 * Results in order, a NULL behind each, up to the synchronisation point: past it the connection is
 * of use again, whatever happened before.
 */
static enum err_code
receive_all(const struct read *t, struct err *e)
{
	enum err_code first = ERR_OK, rc = ERR_OK;
	struct err lost;

	for (int i = 0; i <= t->nsteps;) {
		const struct step *s = i < t->nsteps ? &t->steps[i] : &t->steps[t->nsteps - 1];
		PGresult *r = NULL;

		rc = db_wire_next(t->c, s->name, t->deadline, &r, &lost);
		if (rc != ERR_OK)
			break;
		if (r != NULL && PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			if (PQexitPipelineMode(t->c->pg))
				return first;
			break;
		}
		if (r == NULL)
			i++;
		else
			first = take_result(t, s, r, first, e);
	}
	db_drop(t->c);
	if (first != ERR_OK) /* says more than the loss that followed it */
		return first;
	if (rc != ERR_OK)
		*e = lost;
	else
		rc = err_set(e, ERR_INTERNAL, "tenant read: answers out of step");
	return rc;
}

static enum err_code
read_once(struct read *t, struct uuid app_id, struct err *e)
{
	enum err_code rc;

	if (t->c->pg == NULL)
		return db_err_closed("tenant read", e);
	t->c->warned = t->c->unsynced = t->c->stale_plan = false;
	rc = prepare_all(t, e);
	if (rc != ERR_OK)
		return rc;
	if (!send_all(t, app_id)) {
		(void)db_err_lost("tenant read", t->c->pg, e);
		db_drop(t->c);
		return e->code;
	}
	rc = receive_all(t, e);
	if (rc != ERR_OK) {
		bool stale = t->c->stale_plan;

		for (int i = 0; i < t->n; i++)
			db_result_clear(&t->results[i]);
		db_rollback(t->c); /* COMMIT was skipped */
		t->c->stale_plan = stale;
	}
	return rc;
}

enum err_code
db_tenant_read(struct db_conn *c, struct uuid app_id, const struct db_query *queries, int n,
    struct db_result *results, struct err *e)
{
	struct read t = {
		.c = c,
		.queries = queries,
		.n = n,
		.results = results,
		.deadline = db_deadline(c),
	};
	enum err_code rc;

	if (c->pg != NULL && PQtransactionStatus(c->pg) != PQTRANS_IDLE)
		return err_set(e, ERR_INTERNAL, "tenant read: inside a transaction");
	assert(n <= MAX_QUERIES);
	for (int i = 0; i < n; i++)
		results[i] = DB_RESULT_NONE;
	rc = read_once(&t, app_id, e);
	if (rc != ERR_OK && c->stale_plan)
		rc = read_once(&t, app_id, e);
	return rc;
}

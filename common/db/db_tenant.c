/*
 * A tenant's read as one pipeline. The tenant is set by SET LOCAL with a literal, and not by
 * set_config(): a distributed PostgreSQL passes only the former on to its nodes.
 */
#include "common/db/db_priv.h"

#include <assert.h>

/* Results of BEGIN and SET LOCAL come before the statements', COMMIT's after them. */
enum { RESULTS_BEFORE = 2, RESULTS_AROUND = 3 };

static const struct db_args NO_ARGS;

struct read {
	struct db_conn *c;
	const struct db_query *queries;
	int n;
	struct db_result *results;
	int64_t deadline;
};

static const char *
name_of(const struct read *t, int i)
{
	if (i < RESULTS_BEFORE || i >= t->n + RESULTS_BEFORE)
		return i == 0 ? "BEGIN" : i == 1 ? "SET LOCAL cti.app_id" : "COMMIT";
	return t->queries[i - RESULTS_BEFORE].stmt->name;
}

static bool
send_plain(struct db_conn *c, const char *sql)
{
	return PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1) != 0;
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
send_queries(const struct read *t)
{
	for (int i = 0; i < t->n; i++) {
		const struct db_query *q = &t->queries[i];
		struct db_args a;
		struct err e;

		/* prepare_all has seen that the parameters fit. */
		if (db_args_fill(&a, q->params, q->stmt->name, &e) != ERR_OK ||
		    !db_stmt_send(t->c, q->stmt, &a))
			return false;
	}
	return true;
}

static bool
send_all(const struct read *t, struct uuid app_id)
{
	char id[UUID_TEXT_BYTES], set_local[80];

	(void)snprintf(set_local, sizeof(set_local), "SET LOCAL cti.app_id = '%s'",
	    uuid_format(app_id, id));
	return PQenterPipelineMode(t->c->pg) && send_plain(t->c, "BEGIN READ ONLY") &&
	    send_plain(t->c, set_local) && send_queries(t) && send_plain(t->c, "COMMIT") &&
	    PQpipelineSync(t->c->pg);
}

/* Keep a result that is wanted; tell the first error. What follows an error was not run. */
static enum err_code
take_result(const struct read *t, int i, PGresult *r, enum err_code so_far, struct err *e)
{
	int query = i - RESULTS_BEFORE;
	ExecStatusType status = PQresultStatus(r);
	enum err_code rc = so_far;

	if (so_far == ERR_OK && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		rc = db_err_result(t->c, name_of(t, i), r, e);
		if (t->c->stale_plan && query >= 0 && query < t->n)
			db_stmt_forget(t->c, t->queries[query].stmt);
	}
	if (rc == ERR_OK && query >= 0 && query < t->n)
		t->results[query].res = r;
	else
		PQclear(r);
	return rc;
}

/* Each statement's result and the NULL behind it, in order, then the synchronisation point. */
static enum err_code
receive_all(const struct read *t, struct err *e)
{
	enum err_code first = ERR_OK, rc = ERR_OK;
	struct err lost;
	PGresult *r = NULL;

	for (int i = 0; i < t->n + RESULTS_AROUND; i++) {
		rc = db_wire_next(t->c, name_of(t, i), t->deadline, &r, &lost);
		if (rc == ERR_OK && r != NULL)
			first = take_result(t, i, r, first, e);
		if (rc == ERR_OK && r != NULL)
			rc = db_wire_next(t->c, name_of(t, i), t->deadline, &r, &lost);
		if (rc != ERR_OK || r != NULL)
			break;
	}
	if (rc == ERR_OK)
		rc = db_wire_next(t->c, "COMMIT", t->deadline, &r, &lost);
	if (rc == ERR_OK && PQresultStatus(r) != PGRES_PIPELINE_SYNC)
		rc = err_set(&lost, ERR_INTERNAL, "tenant read: answers out of step");
	if (rc == ERR_OK || t->c->pg != NULL)
		PQclear(r);
	if (first == ERR_OK && rc != ERR_OK)
		*e = lost;
	if (rc != ERR_OK || !PQexitPipelineMode(t->c->pg))
		db_drop(t->c);
	return first != ERR_OK ? first : rc;
}

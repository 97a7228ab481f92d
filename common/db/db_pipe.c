/*
 * Statements sent ahead of their answers, in libpq's pipeline mode. The answers come in the order in
 * which the statements went; behind an error nothing is run up to the point where we wait.
 */
#include "common/db/db_priv.h"

static enum err_code
lost(struct db_conn *c, const char *what, struct err *e)
{
	enum err_code rc = db_err_lost(what, c->pg, e);

	db_drop(c);
	return rc;
}

/* Whoever is told of a failure no longer waits for answers: their places may be gone. */
static void
disown(struct db_conn *c)
{
	for (int i = 0; i < c->nsteps; i++)
		c->steps[i].out = NULL;
}

static enum err_code
begin(struct db_conn *c, const char *what, struct err *e)
{
	enum err_code rc = c->nsteps == DB_MAX_STEPS ? db_settle(c, e) : ERR_OK;

	if (rc != ERR_OK)
		return rc;
	if (c->pg == NULL)
		return db_err_closed(what, e);
	return PQenterPipelineMode(c->pg) ? ERR_OK : lost(c, what, e);
}

enum err_code
db_pipe_plain(struct db_conn *c, const char *what, const char *sql, bool commits, struct err *e)
{
	enum err_code rc = begin(c, what, e);

	if (rc == ERR_OK && !PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
		rc = lost(c, what, e);
	if (rc == ERR_OK)
		c->steps[c->nsteps++] = (struct db_step){ .what = what, .commits = commits };
	else
		disown(c);
	return rc;
}

enum err_code
db_pipe_stmt(struct db_conn *c, const struct db_stmt *s, const struct db_params *p,
    struct db_result *out, struct err *e)
{
	struct db_args a;
	enum err_code rc = db_args_fill(&a, p, s->name, e);

	if (rc == ERR_OK)
		rc = db_stmt_ready(c, s, &a, e);
	if (rc == ERR_OK)
		rc = begin(c, s->name, e);
	if (rc == ERR_OK && !db_stmt_send(c, s, &a))
		rc = lost(c, s->name, e);
	if (rc == ERR_OK)
		c->steps[c->nsteps++] = (struct db_step){ .what = s->name, .stmt = s, .out = out };
	else
		disown(c);
	return rc;
}

/* ---- answers ---- */

static enum err_code
check_commit(const struct db_conn *c, PGresult *r, struct err *e)
{
	if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
		return err_set(e, ERR_INTERNAL, "COMMIT: rolled back, a statement had failed");
	if (c->warned)
		return err_set(e, ERR_UNCERTAIN, "COMMIT: done, but with a warning");
	return ERR_OK;
}

static enum err_code
take(struct db_conn *c, const struct db_step *s, PGresult *r, struct err *e)
{
	AUTO(pgresult) PGresult *mine = r;
	ExecStatusType status = PQresultStatus(r);
	enum err_code rc = ERR_OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		rc = db_err_result(c, s->what, r, e);
		if (c->stale_plan && s->stmt != NULL)
			db_stmt_forget(c, s->stmt);
	} else if (s->commits) {
		rc = check_commit(c, r, e);
	}
	if (rc == ERR_OK && s->out != NULL)
		s->out->res = TAKE(mine);
	return rc;
}

/* What one statement has to say, up to the NULL that ends it. */
static enum err_code
receive(struct db_conn *c, const struct db_step *s, struct err *e)
{
	int64_t deadline = db_deadline(c);
	PGresult *r = NULL;
	enum err_code rc, first = ERR_OK;
	struct err cut;

	c->warned = c->unsynced = c->stale_plan = false;
	while ((rc = db_wire_next(c, s->what, deadline, &r, &cut)) == ERR_OK && r != NULL) {
		if (first == ERR_OK)
			first = take(c, s, r, e);
		else
			PQclear(r);
	}
	if (c->pg != NULL && PQstatus(c->pg) == CONNECTION_BAD)
		db_drop(c);
	if (first != ERR_OK) /* says more than the loss that may follow it */
		return first;
	if (rc != ERR_OK)
		*e = cut;
	return rc;
}

/* From here on the connection is of use for anything. */
static enum err_code
leave(struct db_conn *c, struct err *e)
{
	PGresult *r = NULL;
	enum err_code rc = db_wire_next(c, "pipeline", db_deadline(c), &r, e);
	bool ended = rc == ERR_OK && r != NULL && PQresultStatus(r) == PGRES_PIPELINE_SYNC;

	PQclear(r);
	if (rc != ERR_OK)
		return rc;
	if (!ended || !PQexitPipelineMode(c->pg)) {
		db_drop(c);
		return err_set(e, ERR_UNAVAILABLE, "pipeline: answers out of step");
	}
	if (c->unsynced) /* what needs no COMMIT is committed here */
		return err_set(e, ERR_UNCERTAIN, "pipeline: the wait for a standby was cancelled");
	return ERR_OK;
}

/* The first error counts; what goes wrong behind a COMMIT that was answered does not matter. */
static enum err_code
receive_all(struct db_conn *c, const struct db_step *steps, int n, struct err *e)
{
	bool committed = false, stale = false;
	enum err_code rc = ERR_OK;
	struct err ignored = { 0 };

	for (int i = 0; i <= n; i++) {
		bool counts = rc == ERR_OK && !committed;
		struct err *told = counts ? e : &ignored;
		enum err_code one = i < n ? receive(c, &steps[i], told) : leave(c, told);

		if (counts && one != ERR_OK) {
			rc = one;
			stale = c->stale_plan;
		}
		committed = committed || (one == ERR_OK && i < n && steps[i].commits);
	}
	c->stale_plan = stale;
	return rc;
}

static bool
any_commits(const struct db_step *steps, int n)
{
	for (int i = 0; i < n; i++)
		if (steps[i].commits)
			return true;
	return false;
}

/* Of a COMMIT that was sent and not answered nobody knows. */
enum err_code
db_settle(struct db_conn *c, struct err *e)
{
	struct db_step steps[DB_MAX_STEPS];
	int n = c->nsteps;
	enum err_code rc;

	if (n == 0)
		return ERR_OK;
	memcpy(steps, c->steps, sizeof steps[0] * (size_t)n);
	c->nsteps = 0;
	rc = PQpipelineSync(c->pg) ? receive_all(c, steps, n, e) : lost(c, steps[0].what, e);
	if (rc != ERR_OK && db_is_broken(c) && any_commits(steps, n))
		e->code = rc = ERR_UNCERTAIN;
	return rc;
}

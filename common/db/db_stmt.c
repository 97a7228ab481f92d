/*
 * Named prepared statements of one connection, found by the address of their struct db_stmt.
 *
 * A name in the server holds a random tag of the connection: behind a pooler that shares sessions
 * without knowing about prepared statements, another client's name is then unknown instead of
 * being another statement.
 */
#include "common/db/db_priv.h"

#include <stdio.h>

enum { LARGE_BYTES = 16 << 10 };

struct db_prepared {
	const struct db_stmt *stmt;
	struct db_prepared *next;
	char name[64];
	int n;
	Oid types[DB_MAX_PARAMS];
};

static struct db_prepared **
bucket(struct db_conn *c, const struct db_stmt *s)
{
	/* The structs are 16 bytes or more apart. */
	return &c->prepared[((uintptr_t)s >> 4) % DB_STMT_BUCKETS];
}

static struct db_prepared *
find(struct db_conn *c, const struct db_stmt *s)
{
	struct db_prepared *p = *bucket(c, s);

	while (p != NULL && p->stmt != s)
		p = p->next;
	return p;
}

void
db_stmt_forget(struct db_conn *c, const struct db_stmt *s)
{
	struct db_prepared **at = bucket(c, s), *gone;

	while (*at != NULL && (*at)->stmt != s)
		at = &(*at)->next;
	gone = *at;
	if (gone == NULL)
		return;
	*at = gone->next;
	free(gone);
}

void
db_stmt_forget_all(struct db_conn *c)
{
	for (int i = 0; i < DB_STMT_BUCKETS; i++) {
		while (c->prepared[i] != NULL)
			db_stmt_forget(c, c->prepared[i]->stmt);
	}
}

static void
remember(struct db_conn *c, const struct db_stmt *s, const struct db_args *a, const char *name)
{
	struct db_prepared *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	p->stmt = s;
	p->n = a->n;
	memcpy(p->types, a->types, (size_t)a->n * sizeof(a->types[0]));
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	p->next = *bucket(c, s);
	*bucket(c, s) = p;
}

/* Binary values of other types than the prepared ones would be misread, so that is refused. */
static enum err_code
check_types(const struct db_prepared *p, const struct db_args *a, struct err *e)
{
	if (p->n == a->n && memcmp(p->types, a->types, (size_t)a->n * sizeof(a->types[0])) == 0)
		return ERR_OK;
	return err_set(e, ERR_INTERNAL, "%s: other parameter types than before", p->stmt->name);
}

enum err_code
db_stmt_ready(struct db_conn *c, const struct db_stmt *s, const struct db_args *a, struct err *e)
{
	AUTO(pgresult) PGresult *r = NULL;
	const struct db_prepared *known = find(c, s);
	char name[64];
	enum err_code rc;

	if (c->unnamed)
		return ERR_OK;
	if (known != NULL)
		return check_types(known, a, e);
	rc = db_settle(c, e);
	if (rc != ERR_OK)
		return rc;
	if (c->pg == NULL)
		return db_err_closed(s->name, e);
	(void)snprintf(name, sizeof(name), "%.40s_%08x_%u", s->name, c->tag, c->serial++);
	if (!PQsendPrepare(c->pg, name, s->sql, a->n, a->types)) {
		(void)db_err_lost(s->name, c->pg, e);
		db_drop(c);
		return e->code;
	}
	rc = db_wire_answer(c, s->name, db_deadline(c), &r, e);
	if (rc == ERR_OK)
		remember(c, s, a, name);
	return rc;
}

bool
db_stmt_send(struct db_conn *c, const struct db_stmt *s, const struct db_args *a)
{
	const struct db_prepared *known = find(c, s);

	if (known == NULL)
		return PQsendQueryParams(
			   c->pg, s->sql, a->n, a->types, a->values, a->lengths, a->formats, 1)
		    != 0;
	return PQsendQueryPrepared(c->pg, known->name, a->n, a->values, a->lengths, a->formats, 1)
	    != 0;
}

static enum err_code
exec_once(struct db_conn *c, const struct db_stmt *s, const struct db_params *p, PGresult **out,
    struct err *e)
{
	int64_t deadline = db_deadline(c);
	struct db_args a;
	enum err_code rc = db_args_fill(&a, p, s->name, e);

	if (rc != ERR_OK)
		return rc;
	if (c->pg == NULL)
		return db_err_closed(s->name, e);
	c->warned = c->unsynced = c->stale_plan = false;
	rc = db_stmt_ready(c, s, &a, e);
	if (rc != ERR_OK)
		return rc;
	if (!db_stmt_send(c, s, &a)) {
		(void)db_err_lost(s->name, c->pg, e);
		db_drop(c);
		return e->code;
	}
	rc = db_wire_answer(c, s->name, deadline, out, e);
	if (rc != ERR_OK && c->stale_plan)
		db_stmt_forget(c, s);
	return rc;
}

/* Behind others: one round trip for all of them. */
static enum err_code
exec_behind(struct db_conn *c, const struct db_stmt *s, const struct db_params *p,
    struct db_result *out, struct err *e)
{
	enum err_code rc = db_pipe_stmt(c, s, p, out, e);

	return rc == ERR_OK ? db_settle(c, e) : rc;
}

enum err_code
db_exec(struct db_conn *c, const struct db_stmt *s, const struct db_params *p,
    struct db_result *out, struct err *e)
{
	AUTO(pgresult) PGresult *r = NULL;
	bool alone = PQtransactionStatus(c->pg) == PQTRANS_IDLE;
	enum err_code rc;

	if (c->nsteps > 0)
		return exec_behind(c, s, p, out, e);
	rc = exec_once(c, s, p, &r, e);
	/* Inside a transaction the error has ended it: only its owner can repeat. */
	if (rc != ERR_OK && c->stale_plan && alone)
		rc = exec_once(c, s, p, &r, e);
	if (rc == ERR_OK && out != NULL)
		out->res = TAKE(r);
	return rc;
}

enum err_code
db_exec_later(struct db_conn *c, const struct db_stmt *s, const struct db_params *p,
    struct db_result *out, struct err *e)
{
	enum err_code rc = db_pipe_stmt(c, s, p, out, e);

	/* What is small goes with the rest; what is large gives the server something to do meanwhile. */
	if (rc == ERR_OK && p != NULL && p->data.n > LARGE_BYTES)
		rc = db_wire_flush(c, s->name, db_deadline(c), e);
	return rc;
}

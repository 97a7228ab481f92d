#include "common/db/db_priv.h"

#include "common/base/clock.h"

#include <poll.h>
#include <stdio.h>

/*
 * Beside WARNINGs, two things matter: a COMMIT that stopped waiting for its standby reports
 * success and this notice (told apart by the function that raises it, as texts are translated);
 * and a session ended by the server while idle says so in a FATAL that belongs to no statement.
 */
static void
on_notice(void *arg, const PGresult *r)
{
	struct db_conn *c = arg;
	struct str severity = str_of(PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED));
	struct str where = str_of(PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION));

	if (str_eq(severity, STR("WARNING")))
		c->warned = true;
	if (str_eq(severity, STR("FATAL")) || str_eq(severity, STR("PANIC")))
		c->fatal = true;
	if (str_eq(where, STR("SyncRepWaitForLSN")))
		c->unsynced = true;
}

void
db_drop(struct db_conn *c)
{
	if (c->pg != NULL)
		PQfinish(c->pg);
	c->pg = NULL;
	c->nsteps = 0;
	db_stmt_forget_all(c);
}

void
db_close(struct db_conn *c)
{
	if (c == NULL)
		return;
	db_drop(c);
	free(c);
}

void
db_set_deadline(struct db_conn *c, int64_t mono_ms)
{
	c->until = mono_ms;
}

bool
db_is_broken(const struct db_conn *c)
{
	return c->pg == NULL;
}

bool
db_seems_alive(struct db_conn *c)
{
	if (c->pg == NULL || PQstatus(c->pg) != CONNECTION_OK)
		return false;
	/* A last message and the end of the stream may come in separate reads. */
	for (int reads = 0; reads < 4; reads++) {
		struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLIN };

		if (poll(&p, 1, 0) == 0)
			return !c->fatal;
		if (!PQconsumeInput(c->pg))
			return false;
		(void)PQisBusy(c->pg); /* hands what was read to on_notice */
	}
	return !c->fatal; /* it goes on talking: the answers of what was sent ahead */
}

enum err_code
db_command_until(
    struct db_conn *c, const char *sql, int64_t deadline, PGresult **out, struct err *e)
{
	char what[40];
	enum err_code rc = db_settle(c, e);

	(void)snprintf(what, sizeof(what), "%s", sql);
	if (rc != ERR_OK)
		return rc;
	if (c->pg == NULL)
		return db_err_closed(what, e);
	c->warned = c->unsynced = c->stale_plan = false;
	if (!PQsendQuery(c->pg, sql)) {
		(void)db_err_lost(what, c->pg, e);
		db_drop(c);
		return e->code;
	}
	return db_wire_answer(c, what, deadline, out, e);
}

static enum err_code
run_setting(struct db_conn *c, const char *sql, int64_t deadline, struct err *e)
{
	AUTO(pgresult) PGresult *r = NULL;

	return db_command_until(c, sql, deadline, &r, e);
}

enum err_code
db_command(struct db_conn *c, const char *sql, struct err *e)
{
	return run_setting(c, sql, db_deadline(c), e);
}

static enum err_code
set_role(struct db_conn *c, const char *role, int64_t deadline, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf sql = BUF(1024);
	enum err_code rc;
	char *quoted;

	if (role == NULL || role[0] == '\0')
		return ERR_OK;
	quoted = PQescapeIdentifier(c->pg, role, strlen(role));
	if (quoted == NULL)
		return err_set(e, ERR_INVALID, "DB_ROLE is not a name");
	buf_add_fmt(&sql, "SET ROLE %s", quoted);
	PQfreemem(quoted);
	rc = run_setting(c, buf_c(&sql), deadline, e);
	if (rc != ERR_OK && !db_is_broken(c))
		return err_set(e, ERR_UNAVAILABLE, "the login may not become DB_ROLE %s", role);
	/* What is set for a role applies at its login only; this one no acknowledgement may lack. */
	return rc != ERR_OK ? rc : run_setting(c, "SET synchronous_commit = on", deadline, e);
}

/* PgBouncer keeps track of this one setting's like (unlike most) for each of its clients. */
static enum err_code
set_time_zone(struct db_conn *c, int64_t deadline, struct err *e)
{
	struct str now = str_of(PQparameterStatus(c->pg, "TimeZone"));

	if (str_eq(now, STR("UTC")) || str_eq(now, STR("Etc/UTC")))
		return ERR_OK;
	return run_setting(c, "SET TimeZone = 'UTC'", deadline, e);
}

enum err_code
db_connect_until(const struct db_opts *o, int64_t deadline, struct db_conn **out, struct err *e)
{
	AUTO(db_conn) struct db_conn *c = calloc(1, sizeof(*c));
	enum err_code rc;

	if (c == NULL)
		abort();
	c->timeout_ms = o->timeout_ms;
	c->unnamed = o->unnamed;
	c->give_up = o->give_up;
	c->tag = arc4random();
	rc = db_open_session(o, on_notice, c, deadline, &c->pg, e);
	if (rc == ERR_OK)
		rc = set_time_zone(c, deadline, e);
	if (rc == ERR_OK)
		rc = set_role(c, o->role, deadline, e);
	if (rc != ERR_OK)
		return rc;
	*out = TAKE(c);
	return ERR_OK;
}

enum err_code
db_connect(const struct db_opts *o, struct db_conn **out, struct err *e)
{
	int64_t within_ms = o->connect_ms > 0 ? o->connect_ms : o->timeout_ms;

	return db_connect_until(o, clock_mono_ms() + within_ms, out, e);
}

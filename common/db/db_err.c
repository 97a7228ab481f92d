#include "common/db/db_priv.h"

/* SQLSTATEs by prefix; the first row that fits decides. */
static const struct {
	const char *prefix;
	enum err_code code;
} CLASSES[] = {
	{ "23505", ERR_CONFLICT },    /* unique_violation */
	{ "22", ERR_INVALID },        /* data exception */
	{ "23", ERR_INVALID },        /* other constraints */
	{ "54", ERR_INVALID },        /* too complex, for example json nested too deep */
	{ "57014", ERR_TIMEOUT },     /* query_canceled: a timeout of the server */
	{ "40003", ERR_UNCERTAIN },   /* statement_completion_unknown */
	{ "08007", ERR_UNCERTAIN },   /* transaction_resolution_unknown */
	{ "40001", ERR_UNAVAILABLE }, /* serialization_failure */
	{ "40P01", ERR_UNAVAILABLE }, /* deadlock_detected */
	{ "55P03", ERR_UNAVAILABLE }, /* lock_not_available */
	{ "25P03", ERR_UNAVAILABLE }, /* idle in a transaction for too long */
	{ "26000", ERR_UNAVAILABLE }, /* prepared statement unknown: it is prepared again */
	{ "08", ERR_UNAVAILABLE },    /* connection */
	{ "53", ERR_UNAVAILABLE },    /* out of connections, memory, disk */
	{ "57P", ERR_UNAVAILABLE },   /* shutting down, starting up */
	{ "58", ERR_UNAVAILABLE },    /* system around PostgreSQL */
};

static enum err_code
class_of(struct str sqlstate)
{
	for (size_t i = 0; i < sizeof(CLASSES) / sizeof(CLASSES[0]); i++) {
		if (str_starts(sqlstate, str_of(CLASSES[i].prefix)))
			return CLASSES[i].code;
	}
	return ERR_INTERNAL;
}

/*
 * "cached plan must not change result type" shares its SQLSTATE with everything unsupported, and
 * its text is translated; the function that raises it is neither.
 */
static bool
is_stale_plan(struct str sqlstate, const PGresult *r)
{
	struct str where = str_of(PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION));

	return str_eq(sqlstate, STR("26000"))
	    || (str_eq(sqlstate, STR("0A000")) && str_eq(where, STR("RevalidateCachedQuery")));
}

enum err_code
db_err_result(struct db_conn *c, const char *what, const PGresult *r, struct err *e)
{
	struct str sqlstate = str_of(PQresultErrorField(r, PG_DIAG_SQLSTATE));
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	enum err_code code = class_of(sqlstate);

	c->stale_plan = is_stale_plan(sqlstate, r);
	if (c->stale_plan)
		code = ERR_UNAVAILABLE;
	/* The text of a data exception quotes the data, which may be personal. */
	if (str_starts(sqlstate, STR("22")))
		text = "the data was refused";
	if (sqlstate.n == 0) /* made by libpq: the connection, or memory */
		code = ERR_UNAVAILABLE;
	err_set(e, code, "%s: %s", what, text == NULL ? "failed without a message" : text);
	if (sqlstate.n < sizeof(e->sqlstate)) {
		memcpy(e->sqlstate, sqlstate.n == 0 ? "" : sqlstate.p, sqlstate.n);
		e->sqlstate[sqlstate.n] = '\0';
	}
	return code;
}

enum err_code
db_err_lost(const char *what, const PGconn *pg, struct err *e)
{
	struct str rest, line = str_cut(str_of(PQerrorMessage(pg)), '\n', &rest);

	return err_set(e, ERR_UNAVAILABLE, "%s: %.*s", what, STR_ARG(line));
}

enum err_code
db_err_closed(const char *what, struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "%s: the connection is closed", what);
}

/*
 * db_priv - what the files of common/db share: the connection itself and the bytes on its wire.
 *
 * Use:      included by db_*.c only.
 * Owns:     struct db_conn owns its PGconn and the list of what it has prepared.
 * Threads:  as the connection: one thread at a time.
 * Errors:   a function that meets a lost connection or a deadline closes the connection first.
 * Not for:  anything outside common/db.
 */
#ifndef CTI_DB_PRIV_H
#define CTI_DB_PRIV_H

#include "common/db/db.h"

#include <libpq-fe.h>

OWN_DEFINE(pgresult, PGresult *, NULL, PQclear)

/* PostgreSQL counts microseconds from 2000-01-01; this is that day in ms since 1970. */
#define DB_EPOCH_MS INT64_C(946684800000)

enum { DB_STMT_BUCKETS = 64, DB_MAX_STEPS = 16 };

struct db_prepared;

/* One statement of a pipeline. */
struct db_step {
	const char *what;           /* its name in errors; borrowed for good */
	const struct db_stmt *stmt; /* NULL: plain SQL */
	struct db_result *out;      /* where its result belongs, or NULL */
	bool commits;               /* a COMMIT whose success matters */
};

struct db_conn {
	PGconn *pg; /* NULL once closed: that is what "broken" means */
	int64_t timeout_ms;
	int64_t until; /* monotonic ms; 0: none */
	const db_give_up *give_up;
	bool unnamed;

	/* What the server told beside the answer; the first two are cleared before each statement. */
	bool warned;     /* a WARNING */
	bool unsynced;   /* a COMMIT stopped waiting for its standby */
	bool fatal;      /* it closed the session while idle */
	bool stale_plan; /* the last error: the prepared statement is gone or outdated */

	unsigned tag, serial; /* make the names of prepared statements unique */
	struct db_prepared *prepared[DB_STMT_BUCKETS];

	struct db_step steps[DB_MAX_STEPS]; /* sent, or about to be, and not answered */
	int nsteps;

	/* The pool's: */
	int64_t expires_ms; /* monotonic */
	struct db_conn *next;
};

/* Parameters as libpq wants them: parallel arrays, pointing into a struct db_params. */
struct db_args {
	int n;
	Oid types[DB_MAX_PARAMS];
	const char *values[DB_MAX_PARAMS];
	int lengths[DB_MAX_PARAMS];
	int formats[DB_MAX_PARAMS];
};

/* ---- db_params.c ---- */
/* `p` may be NULL. `what` names the statement in *e. */
CTI_MUST_CHECK enum err_code db_args_fill(
    struct db_args *a, const struct db_params *p, const char *what, struct err *e);
/* The binary forms of PostgreSQL's types, which parameters and array elements share. */
void db_put_i32(struct buf *b, int32_t v);
void db_put_i64(struct buf *b, int64_t v);
void db_put_f64(struct buf *b, double v);
void db_put_time(struct buf *b, int64_t ms);

/* ---- db_err.c ---- */
/* The class, SQLSTATE and message of an error result; notes a stale plan on the connection. */
enum err_code db_err_result(struct db_conn *c, const char *what, const PGresult *r, struct err *e);
/* A fault of the connection, with the first line of libpq's explanation. */
enum err_code db_err_lost(const char *what, const PGconn *pg, struct err *e);
enum err_code db_err_closed(const char *what, struct err *e);

/* ---- db_wire.c ---- */
/* Deadlines are monotonic ms. False: the deadline passed, or it is time to give up (`give_up` may be
 * NULL). A broken socket counts as ready. */
bool db_wire_wait(int fd, short events, int64_t deadline, const db_give_up *give_up);
int64_t db_deadline(const struct db_conn *c); /* of a statement that begins now */
/* The next result of what was sent, sending what is left meanwhile. *out is NULL at the end. */
CTI_MUST_CHECK enum err_code db_wire_next(
    struct db_conn *c, const char *what, int64_t deadline, PGresult **out, struct err *e);
/* Until the server has all that was sent. */
CTI_MUST_CHECK enum err_code db_wire_flush(
    struct db_conn *c, const char *what, int64_t deadline, struct err *e);
/* All results up to the end: the last one, or the first error. */
CTI_MUST_CHECK enum err_code db_wire_answer(
    struct db_conn *c, const char *what, int64_t deadline, PGresult **out, struct err *e);

/* ---- db_connect.c ---- */
/* INVALID for a connection string that libpq cannot read; its text is not repeated. */
CTI_MUST_CHECK enum err_code db_url_check(const char *url, struct err *e);
/* A session that answers, from the first host that gives one in its share of the time. */
CTI_MUST_CHECK enum err_code db_open_session(const struct db_opts *o, PQnoticeReceiver on_notice,
    void *arg, int64_t deadline, PGconn **out, struct err *e);

/* ---- db_conn.c ---- */
CTI_MUST_CHECK enum err_code db_connect_until(
    const struct db_opts *o, int64_t deadline, struct db_conn **out, struct err *e);
void db_drop(struct db_conn *c); /* close the session; the connection is broken from now on */
/* Of an idle connection, without a round trip: has the server closed it? */
bool db_seems_alive(struct db_conn *c);
CTI_MUST_CHECK enum err_code db_command_until(
    struct db_conn *c, const char *sql, int64_t deadline, PGresult **out, struct err *e);

/* ---- db_stmt.c ---- */
/* Prepare the statement on this connection unless it is, or the connection prepares nothing. To prepare
 * is to wait, for all answers that are owed. */
CTI_MUST_CHECK enum err_code db_stmt_ready(
    struct db_conn *c, const struct db_stmt *s, const struct db_args *a, struct err *e);
/* Send a statement made ready before. False: libpq refused it (see PQerrorMessage). */
CTI_MUST_CHECK bool db_stmt_send(
    struct db_conn *c, const struct db_stmt *s, const struct db_args *a);
void db_stmt_forget(struct db_conn *c, const struct db_stmt *s);
void db_stmt_forget_all(struct db_conn *c);

/* ---- db_pipe.c ---- */
/* Add to what is sent ahead. `out` must live until db_settle(), or until a call failed. */
CTI_MUST_CHECK enum err_code db_pipe_stmt(struct db_conn *c, const struct db_stmt *s,
    const struct db_params *p, struct db_result *out, struct err *e);
CTI_MUST_CHECK enum err_code db_pipe_plain(
    struct db_conn *c, const char *what, const char *sql, bool commits, struct err *e);
/* Wait for all answers that are owed; the first error among them. UNCERTAIN as of db_commit(). */
CTI_MUST_CHECK enum err_code db_settle(struct db_conn *c, struct err *e);

#endif

/*
 * db - PostgreSQL: connections, a pool, prepared statements, transactions, pipelines.
 *
 * Use:      write each query as a `static const struct db_stmt`; bind with struct db_params; run it
 *           with db_exec() on a connection from db_pool_get() or db_connect().
 * Owns:     db_result owns rows; getters lend views into it until db_result_clear.
 * Threads:  a connection belongs to one thread at a time; the pool is safe for all.
 * Errors:   sqlstate in *e. UNAVAILABLE: lost or refused, serialization failure, deadlock: the same
 *           work may be repeated. TIMEOUT: the deadline passed; the connection is closed, the
 *           statement never cancelled (a cancelled COMMIT may report success). CONFLICT: 23505.
 *           INVALID: classes 22, 54 and other 23 (the data is at fault). TOO_LARGE: parameters over
 *           1 GiB. UNCERTAIN: lost after COMMIT was sent, or the wait for a standby was cancelled.
 *           INTERNAL: our SQL.
 * Not for:  LISTEN (see db_listen.h).
 *
 * Parameters and results travel in binary; text, json and bytea are raw bytes. A statement outside
 * a transaction commits by itself: after UNAVAILABLE or TIMEOUT it may have happened or not.
 * Nothing blocks past its deadline but the resolver, when the server is given by name.
 */
#ifndef CTI_DB_H
#define CTI_DB_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/own.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

struct db_conn;
struct db_pool;

/* The monotonic instant at which every wait on a connection ends, as if its deadline had passed; 0: none
 * yet. Any thread may set it, also while others wait. */
typedef _Atomic int64_t db_give_up;

struct db_opts {
	const char *url;      /* conninfo or URI; borrowed for the life of pool or connection */
	const char *role;     /* "" or a role to SET ROLE to (a session setting: not for poolers) */
	const char *app_name; /* application_name */
	bool unnamed;         /* DB_PREPARE=unnamed: no named prepared statements */
	int64_t timeout_ms;   /* deadline of one statement with its answer */
	int64_t connect_ms;   /* deadline of connecting; 0: timeout_ms */
	int size;             /* pool only */
	const db_give_up *give_up; /* or NULL; borrowed like the URL */
};

/* A statement is identified by the address of its struct; the name only shows up in the server. */
struct db_stmt {
	const char *name;
	const char *sql;
};

/* ---- parameters ---- */
enum { DB_MAX_PARAMS = 80 };

/* PostgreSQL's type OIDs of the parameters we send. */
enum db_type {
	DB_BOOL = 16,
	DB_BYTEA = 17,
	DB_I64 = 20,
	DB_I32 = 23,
	DB_TEXT = 25,
	DB_JSON = 114,
	DB_F64 = 701,
	DB_TIME = 1184,
	DB_UUID = 2950,
};

struct db_params {
	int n;
	struct {
		unsigned oid;
		bool null;
		size_t at, len;       /* in data; or: */
		const char *borrowed; /* not NULL: the caller's bytes */
	} p[DB_MAX_PARAMS];
	struct buf data;
};

void db_params_init(struct db_params *p);
void db_params_release(struct db_params *p);
void db_params_clear(struct db_params *p);
/* Each adds the next parameter ($1, $2, …). Strings are borrowed until the statement has run. */
void db_p_i64(struct db_params *p, int64_t v);
void db_p_i32(struct db_params *p, int32_t v);
void db_p_bool(struct db_params *p, bool v);
void db_p_f64(struct db_params *p, double v);
void db_p_time(struct db_params *p, int64_t ms); /* timestamptz from ms since 1970 */
void db_p_uuid(struct db_params *p, struct uuid v);
void db_p_text(struct db_params *p, struct str v);  /* STR_NONE is NULL */
void db_p_json(struct db_params *p, struct str v);  /* STR_NONE is NULL */
void db_p_bytea(struct db_params *p, struct str v); /* STR_NONE is NULL */
void db_p_null(struct db_params *p, enum db_type type);

/* One-dimensional array parameter, built element by element. */
struct db_array {
	enum db_type type;
	int32_t n;
	bool has_null;
	struct buf b;
};

void db_array_init(struct db_array *a, enum db_type type);
void db_array_release(struct db_array *a);
void db_array_null(struct db_array *a);
void db_array_i64(struct db_array *a, int64_t v);
void db_array_i32(struct db_array *a, int32_t v);
void db_array_bool(struct db_array *a, bool v);
void db_array_f64(struct db_array *a, double v);
void db_array_time(struct db_array *a, int64_t ms);
void db_array_uuid(struct db_array *a, struct uuid v);
void db_array_bytes(struct db_array *a, struct str v); /* text, json, bytea; STR_NONE is NULL */
void db_p_array(struct db_params *p, const struct db_array *a); /* copied */

/* ---- results ---- */
struct db_result {
	void *res; /* PGresult */
};

#define DB_RESULT_NONE ((struct db_result){ NULL })

void db_result_clear(struct db_result *r);
int db_rows(const struct db_result *r); /* rows returned */
int64_t db_affected(const struct db_result *r);
bool db_null(const struct db_result *r, int row, int col);
int64_t db_i64(const struct db_result *r, int row, int col); /* int2, int4, int8; NULL is 0 */
bool db_bool(const struct db_result *r, int row, int col);   /* NULL is false */
double db_f64(const struct db_result *r, int row, int col);  /* float4, float8; NULL is 0 */
/* timestamptz as ms since 1970, rounded down; NULL is 0; ±infinity is INT64_MAX or INT64_MIN. */
int64_t db_time(const struct db_result *r, int row, int col);
struct uuid db_uuid(const struct db_result *r, int row, int col); /* NULL is UUID_NIL */
/* text, json, jsonb, bytea, enums; NULL is STR_NONE. Lent until db_result_clear. */
struct str db_str(const struct db_result *r, int row, int col);

/* ---- connections ---- */
CTI_MUST_CHECK enum err_code db_connect(
    const struct db_opts *o, struct db_conn **out, struct err *e);
void db_close(struct db_conn *c);           /* NULL is allowed */
bool db_is_broken(const struct db_conn *c); /* closed after an error; every call fails */
/* Statements from now on end by this monotonic instant too, whatever timeout_ms says; 0: no limit. */
void db_set_deadline(struct db_conn *c, int64_t mono_ms);

OWN_DEFINE(db_conn, struct db_conn *, NULL, db_close)

/*
 * Run one statement. `p` may be NULL (no parameters), `out` may be NULL (result not wanted).
 * A statement must have the same parameter types each time.
 */
CTI_MUST_CHECK enum err_code db_exec(struct db_conn *c, const struct db_stmt *s,
    const struct db_params *p, struct db_result *out, struct err *e);

/*
 * Inside a transaction, the same without waiting for the answer: what is sent later, db_begin() too, goes
 * with the next call that waits, in one round trip. That call fails if this statement did. `out`, if not
 * NULL, is filled by then; it must live until then, or until any call failed.
 */
CTI_MUST_CHECK enum err_code db_exec_later(struct db_conn *c, const struct db_stmt *s,
    const struct db_params *p, struct db_result *out, struct err *e);

/* Statements without parameters or rows: "BEGIN", "SET …". A trusted constant only. */
CTI_MUST_CHECK enum err_code db_command(struct db_conn *c, const char *sql, struct err *e);

/* A hint to whoever listens; outside a transaction it goes out at once, without waiting for the disk. */
CTI_MUST_CHECK enum err_code db_notify(struct db_conn *c, const char *channel, struct err *e);

/*
 * Transaction brackets. After a failed statement call db_rollback(), which always succeeds (a
 * connection that cannot roll back is marked broken). db_commit: UNCERTAIN when the answer is lost;
 * a WARNING on COMMIT (a cancelled wait for a standby) counts as UNCERTAIN too.
 */
CTI_MUST_CHECK enum err_code db_begin(struct db_conn *c, struct err *e);
CTI_MUST_CHECK enum err_code db_commit(struct db_conn *c, struct err *e);
/* db_commit() and then db_notify(), in one round trip; trouble with the hint is none. */
CTI_MUST_CHECK enum err_code db_commit_notify(
    struct db_conn *c, const char *channel, struct err *e);
void db_rollback(struct db_conn *c);
void db_rollback_later(struct db_conn *c); /* it goes with the next call, which must come at once */

/*
 * How a statement of a tenant's read is planned. To plan one may cost more than to run it; but the
 * plan that is made once knows no parameter, so it has to be right for all.
 */
enum db_plan {
	DB_PLAN_AUTO, /* as PostgreSQL finds best */
	DB_PLAN_ONCE,
	DB_PLAN_EACH_TIME,
};

/*
 * A tenant's read, in one round trip: BEGIN READ ONLY, SET LOCAL cti.app_id, the statements, COMMIT.
 * results[i] belongs to queries[i] (at most 4); on failure none is set. Call it outside a
 * transaction.
 */
struct db_query {
	const struct db_stmt *stmt;
	const struct db_params *params; /* or NULL */
	enum db_plan plan;
};
CTI_MUST_CHECK enum err_code db_tenant_read(struct db_conn *c, struct uuid app_id,
    const struct db_query *queries, int n, struct db_result *results, struct err *e);

/* ---- pool ---- */
/* Opens lazily: succeeds while the server is down. */
CTI_MUST_CHECK enum err_code db_pool_new(
    const struct db_opts *o, struct db_pool **out, struct err *e);
void db_pool_free(struct db_pool *p); /* when nothing is lent; NULL is allowed */

/*
 * Lends a connection, opening one if need be; give it back with db_pool_put on every path.
 * UNAVAILABLE after wait_ms, which includes the opening; sooner when the server is known to be
 * down and no new attempt is due within that time.
 */
CTI_MUST_CHECK enum err_code db_pool_get(
    struct db_pool *p, int64_t wait_ms, struct db_conn **out, struct err *e);
void db_pool_put(struct db_pool *p, struct db_conn *c); /* broken or in a transaction: closed */

/*
 * Run fn inside a transaction on a pooled connection; repeat it (at most 3 times, short random
 * pauses) when PostgreSQL says that repeating helps. fn must have no effect outside the database.
 * After UNCERTAIN it is not repeated.
 */
typedef enum err_code (*db_tx_fn)(struct db_conn *c, void *arg, struct err *e);
CTI_MUST_CHECK enum err_code db_tx(
    struct db_pool *p, int64_t wait_ms, db_tx_fn fn, void *arg, struct err *e);

/* "postgresql://…" or DB_* of the configuration as one conninfo; see conf.def. */
struct conf;
CTI_MUST_CHECK enum err_code db_conninfo(const struct conf *c, struct buf *out, struct err *e);

#endif

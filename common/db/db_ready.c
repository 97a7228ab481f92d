#include "common/db/db_ready.h"

#include "common/base/clock.h"

#include <pthread.h>
#include <stdio.h>

enum { KEEP_MS = 1000 };

struct db_ready {
	pthread_mutex_t mu;
	struct db_ready_opts opts;
	struct db_conn *conn; /* guarded by mu, as all below */
	int64_t checked_at;   /* monotonic ms; 0: never */
	bool ready;
	int64_t version; /* 0: unknown */
	char reason[200];
};

static const struct db_stmt STATE = {
	.name = "ready_state",
	.sql = "SELECT v.version, r.rolsuper OR c.relowner = r.oid, r.rolbypassrls"
	       " FROM schema_version v, pg_roles r, pg_class c"
	       " WHERE r.rolname = current_user AND c.oid = 'event_log'::regclass",
};

struct db_ready *
db_ready_new(const struct db_ready_opts *o)
{
	struct db_ready *r = calloc(1, sizeof *r);

	if (r == NULL)
		abort();
	(void)pthread_mutex_init(&r->mu, NULL);
	r->opts = *o;
	r->opts.db.timeout_ms = o->deadline_ms;
	return r;
}

void
db_ready_free(struct db_ready *r)
{
	if (r == NULL)
		return;
	db_close(r->conn);
	(void)pthread_mutex_destroy(&r->mu);
	free(r);
}

static enum err_code
read_state(struct db_ready *r, int64_t *version, bool *sees_all, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result res = DB_RESULT_NONE;
	enum err_code rc = ERR_OK;

	if (r->conn == NULL)
		rc = db_connect(&r->opts.db, &r->conn, e);
	if (rc == ERR_OK)
		rc = db_exec(r->conn, &STATE, NULL, &res, e);
	if (rc == ERR_OK && db_rows(&res) != 1)
		rc = err_set(e, ERR_INTERNAL, "schema_version has no row");
	if (rc != ERR_OK)
		return rc;
	*version = db_i64(&res, 0, 0);
	*sees_all = db_bool(&res, 0, 1) || (db_bool(&res, 0, 2) && !r->opts.may_bypass);
	return ERR_OK;
}

static void
give_reason(struct db_ready *r, const char *reason)
{
	(void)snprintf(r->reason, sizeof r->reason, "%.150s", reason);
}

static void
check_now(struct db_ready *r)
{
	bool sees_all = false;
	struct err e;

	r->version = 0;
	r->ready = false;
	if (read_state(r, &r->version, &sees_all, &e) != ERR_OK)
		give_reason(r, e.msg);
	else if (r->version < DB_SCHEMA_MIN || r->version > DB_SCHEMA_MAX)
		(void)snprintf(r->reason, sizeof r->reason,
		    "this build works with versions %d to %d of the schema, not with this one",
		    DB_SCHEMA_MIN, DB_SCHEMA_MAX);
	else if (sees_all && r->opts.production)
		give_reason(r,
		    "this login passes over row-level security: use the daemon's own role, or name it in DB_ROLE");
	else
		r->ready = true;
	if (r->ready)
		give_reason(r, "ok");
	if (r->conn != NULL && db_is_broken(r->conn)) {
		db_close(r->conn);
		r->conn = NULL;
	}
}

bool
db_ready_check(struct db_ready *r, struct json_out *j)
{
	int64_t now = clock_mono_ms();
	bool ready;

	(void)pthread_mutex_lock(&r->mu);
	if (r->checked_at == 0 || now - r->checked_at >= KEEP_MS) {
		check_now(r);
		r->checked_at = clock_mono_ms();
	}
	jo_kv_str(j, "database", str_of(r->reason));
	jo_key(j, "schema_version");
	if (r->version == 0)
		jo_null(j);
	else
		jo_i64(j, r->version);
	ready = r->ready;
	(void)pthread_mutex_unlock(&r->mu);
	return ready;
}

#include "apid/ready.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <inttypes.h>

/* The versions of the schema that this build runs on. */
enum { SCHEMA_MIN = 1, SCHEMA_MAX = 1 };

/* Both waits together stay below the second that a probe may take. */
enum { CONNECT_MS = 400, ANSWER_MS = 500, FRESH_MS = 1000 };

static const struct db_stmt SCHEMA_VERSION = {
	.name = "ready_schema_version",
	.sql = "SELECT version FROM schema_version",
};

enum err_code
ready_start(struct ready *r, const struct db_opts *o, struct err *e)
{
	struct db_opts own = *o;

	own.size = 1;
	own.timeout_ms = ANSWER_MS;
	*r = (struct ready){ .was_ready = true };
	pthread_mutex_init(&r->mu, NULL);
	return db_pool_new(&own, &r->pool, e);
}

void
ready_stop(struct ready *r)
{
	db_pool_free(r->pool);
	r->pool = NULL;
	pthread_mutex_destroy(&r->mu);
}

static enum err_code
read_version(struct ready *r, int64_t *version, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result rows = DB_RESULT_NONE;
	struct db_conn *c;
	enum err_code rc = db_pool_get(r->pool, CONNECT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = db_exec(c, &SCHEMA_VERSION, NULL, &rows, e);
	db_pool_put(r->pool, c);
	if (rc == ERR_OK)
		*version = db_rows(&rows) > 0 ? db_i64(&rows, 0, 0) : 0;
	return rc;
}

static bool
is_ready(const struct ready *r)
{
	return r->reachable && r->schema_version >= SCHEMA_MIN && r->schema_version <= SCHEMA_MAX;
}

static void
log_change(struct ready *r, const struct err *e)
{
	if (is_ready(r) == r->was_ready)
		return;
	r->was_ready = is_ready(r);
	if (r->was_ready)
		log_info("ready.regained", "the database answers, schema version %" PRId64,
		    r->schema_version);
	else if (!r->reachable)
		log_err(LOG_WARN, "ready.lost", e);
	else
		log_warn("ready.lost", "schema version %" PRId64 ", this build runs on %d to %d",
		    r->schema_version, SCHEMA_MIN, SCHEMA_MAX);
}

/* Under the lock: whoever waits for it finds a fresh answer. */
static void
refresh(struct ready *r)
{
	struct err e;

	if (r->checked_at != 0 && clock_mono_ms() - r->checked_at < FRESH_MS)
		return;
	r->reachable = read_version(r, &r->schema_version, &e) == ERR_OK;
	r->checked_at = clock_mono_ms();
	log_change(r, &e);
}

bool
ready_report(struct ready *r, struct json_out *j)
{
	bool ready;

	pthread_mutex_lock(&r->mu);
	refresh(r);
	ready = is_ready(r);
	jo_kv_str(j, "database", r->reachable ? STR("ok") : STR("unreachable"));
	jo_key(j, "schema_version");
	if (r->reachable && r->schema_version > 0)
		jo_i64(j, r->schema_version);
	else
		jo_null(j);
	jo_kv_i64(j, "schema_min", SCHEMA_MIN);
	jo_kv_i64(j, "schema_max", SCHEMA_MAX);
	pthread_mutex_unlock(&r->mu);
	return ready;
}

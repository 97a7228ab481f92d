/* What was asked for is done, the oldest request first, one after the other. */
#include "workerd/jobs/request.h"

#include "common/base/log.h"
#include "common/base/metric.h"

static struct metric requests_total = METRIC_COUNTER(
    "cti_requests_total", "Runs of requested work, by kind and result.", "kind,result");

static const struct request_kind {
	const char *name, *ok, *failed; /* the latter two: values of a metric's label */
	enum err_code (*run)(
	    struct job_run *, const struct request *, struct request_end *, struct err *);
} KINDS[] = {
#define X(kind) { #kind, #kind "|ok", #kind "|failed", request_##kind },
	REQUEST_TABLE(X)
#undef X
};
enum { NKINDS = sizeof KINDS / sizeof KINDS[0] };

/* attempts is 1 or more while it runs; whoever asks again meanwhile sets it to 0. A run that is killed
 * is repeated after 5 s. */
static const struct db_stmt TAKE = {
	.name = "request_take",
	.sql = "UPDATE jobs SET started_at = clock_timestamp(), attempts = attempts + 1,"
	       " run_at = clock_timestamp() + interval '5 s'"
	       " WHERE (kind, app_id, job_key) IN (SELECT kind, app_id, job_key FROM jobs"
	       "   WHERE run_at <= clock_timestamp() AND kind = ANY ($1) ORDER BY run_at LIMIT 1)"
	       " RETURNING kind, app_id, job_key, params, attempts",
};
enum { COL_KIND, COL_APP, COL_KEY, COL_PARAMS, COL_ATTEMPTS };

static const struct db_stmt DONE = {
	.name = "request_done",
	.sql = "UPDATE jobs SET run_at = CASE WHEN attempts = 0 THEN run_at"
	       "   ELSE clock_timestamp() + $4 * interval '1 ms' END, attempts = 0,"
	       " finished_at = clock_timestamp(), last_error = NULL,"
	       " params = CASE WHEN attempts = 0 THEN params ELSE coalesce($5, params) END,"
	       " result = coalesce($6, result) WHERE kind = $1 AND app_id = $2 AND job_key = $3",
};

static const struct db_stmt FAILED = {
	.name = "request_failed",
	.sql =
	    "UPDATE jobs SET last_error = $4, finished_at = clock_timestamp(),"
	    " run_at = CASE WHEN attempts = 0 THEN run_at WHEN $5 THEN NULL"
	    "   ELSE clock_timestamp() + (0.75 + random() / 2) *"
	    "     least(interval '1 hour', interval '5 s' * power(2, least(attempts, 12) - 1)) END"
	    " WHERE kind = $1 AND app_id = $2 AND job_key = $3",
};

/* The daemon was told to stop in the middle: that is no attempt. */
static const struct db_stmt STOPPED = {
	.name = "request_stopped",
	.sql = "UPDATE jobs SET run_at = clock_timestamp(), attempts = greatest(attempts - 1, 0)"
	       " WHERE kind = $1 AND app_id = $2 AND job_key = $3",
};

static enum err_code
take(struct job_run *r, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array kinds;

	db_array_init(&kinds, DB_TEXT);
	for (int i = 0; i < NKINDS; i++)
		db_array_bytes(&kinds, str_of(KINDS[i].name));
	db_params_init(&p);
	db_p_array(&p, &kinds);
	return db_exec(r->conn, &TAKE, &p, out, e);
}

static void
name_row(const struct db_result *row, struct db_params *p)
{
	db_params_init(p);
	db_p_text(p, db_str(row, 0, COL_KIND));
	db_p_uuid(p, db_uuid(row, 0, COL_APP));
	db_p_text(p, db_str(row, 0, COL_KEY));
}

static enum err_code
note_done(
    struct job_run *r, const struct db_result *row, const struct request_end *end, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	name_row(row, &p);
	if (end->again_ms == REQUEST_NEVER)
		db_p_null(&p, DB_I64);
	else
		db_p_i64(&p, end->again_ms);
	db_p_json(&p, end->params.n > 0 ? buf_str(&end->params) : STR_NONE);
	db_p_json(&p, end->result.n > 0 ? buf_str(&end->result) : STR_NONE);
	return db_exec(r->conn, &DONE, &p, NULL, e);
}

static enum err_code
note_failed(struct job_run *r, const struct db_result *row, const struct err *why, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	name_row(row, &p);
	db_p_text(&p, str_of(why->msg));
	db_p_bool(&p, why->code == ERR_CONFLICT || why->code == ERR_INVALID);
	return db_exec(r->conn, &FAILED, &p, NULL, e);
}

static enum err_code
note_stopped(struct job_run *r, const struct db_result *row, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	name_row(row, &p);
	return db_exec(r->conn, &STOPPED, &p, NULL, e);
}

static void
log_failure(const char *kind, int64_t attempts, const struct err *why)
{
	struct err named = *why;

	(void)err_set(&named, why->code, "%s, attempt %d: %s", kind, (int)attempts, why->msg);
	memcpy(named.sqlstate, why->sqlstate, sizeof named.sqlstate);
	log_err(LOG_WARN, "request.failed", &named);
}

static const struct request_kind *
kind_of(struct str name)
{
	for (int i = 0; i < NKINDS - 1; i++)
		if (str_eq(name, str_of(KINDS[i].name)))
			return &KINDS[i];
	return &KINDS[NKINDS - 1]; /* TAKE finds these kinds alone */
}

static enum err_code
note_end(struct job_run *r, const struct request_kind *kind, const struct db_result *row,
    enum err_code rc, const struct request_end *end, const struct err *why, struct err *e)
{
	if (rc != ERR_OK && job_is_stopping(r))
		return note_stopped(r, row, e);
	metric_add(&requests_total, rc == ERR_OK ? kind->ok : kind->failed, 1);
	if (rc == ERR_OK)
		return note_done(r, row, end, e);
	log_failure(kind->name, db_i64(row, 0, COL_ATTEMPTS), why);
	return note_failed(r, row, why, e);
}

static enum err_code
run_one(struct job_run *r, const struct db_result *row, struct err *e)
{
	const struct request_kind *kind = kind_of(db_str(row, 0, COL_KIND));
	struct request q = { db_uuid(row, 0, COL_APP), db_str(row, 0, COL_KEY),
		db_str(row, 0, COL_PARAMS) };
	struct request_end end = { REQUEST_NEVER, BUF(REQUEST_MAX_JSON), BUF(REQUEST_MAX_JSON) };
	char app[UUID_TEXT_BYTES];
	struct err why;
	enum err_code rc;

	log_context_set("", uuid_format(q.app_id, app));
	rc = kind->run(r, &q, &end, &why);
	rc = note_end(r, kind, row, rc, &end, &why, e);
	log_context_clear();
	buf_release(&end.params);
	buf_release(&end.result);
	return rc;
}

enum err_code
job_requests(struct job_run *r, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (int i = 0; i < NKINDS; i++) {
		metric_declare(&requests_total, KINDS[i].ok);
		metric_declare(&requests_total, KINDS[i].failed);
	}
	while (rc == ERR_OK && job_may_go_on(r)) {
		AUTO_RELEASE(db_result_clear) struct db_result row = DB_RESULT_NONE;

		rc = take(r, &row, e);
		if (rc == ERR_OK && db_rows(&row) == 0)
			break;
		if (rc == ERR_OK)
			rc = run_one(r, &row, e);
	}
	return rc;
}

#include "apid/admin/requests_db.h"

/* attempts = 0 tells a run that is under way that it has been asked again. */
static const struct db_stmt ASK = {
	.name = "request_ask",
	.sql =
	    "INSERT INTO jobs (kind, app_id, job_key, params) VALUES ($1, $2, coalesce($3, ''), $4)"
	    " ON CONFLICT (kind, app_id, job_key) DO UPDATE SET params = $4, run_at = now(),"
	    " attempts = 0, finished_at = NULL, last_error = NULL",
};

enum err_code
requests_ask(struct db_conn *c, const char *kind, struct uuid app_id, struct str key,
    struct str params, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(kind));
	db_p_uuid(&p, app_id);
	db_p_text(&p, key);
	db_p_json(&p, params);
	rc = db_exec(c, &ASK, &p, NULL, e);
	return rc == ERR_OK ? db_command(c, "NOTIFY cti_jobs", e) : rc;
}

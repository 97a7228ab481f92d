/* Tokens of Dialpad are refreshed before they end, one after the other. */
#include "common/base/log.h"
#include "workerd/dialpad/dialpad.h"
#include "workerd/jobs/job.h"

/* What fails is noted with the connection, and no concern of the other apps. */
static void
refresh(struct job_run *r, struct uuid app_id)
{
	char app[UUID_TEXT_BYTES];
	struct err e;
	enum err_code rc;

	log_context_set("", uuid_format(app_id, app));
	rc = dp_token_refresh_due(&r->opts->dialpad->tokens, r->conn, app_id, &e);
	if (rc == ERR_CONFLICT)
		log_err(LOG_ERROR, "token.needs_reconnect", &e);
	else if (rc != ERR_OK)
		log_err(LOG_WARN, "token.not_refreshed", &e);
	log_context_clear();
}

enum err_code
job_tokens(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result due = DB_RESULT_NONE;
	enum err_code rc;

	if (!dialpad_is_set(r->opts->dialpad))
		return ERR_OK;
	rc = dp_token_list_due(&r->opts->dialpad->tokens, r->conn, UUID_NIL, JOB_CHUNK, &due, e);
	for (int i = 0; rc == ERR_OK && i < db_rows(&due) && job_may_go_on(r); i++) {
		refresh(r, db_uuid(&due, i, 0));
		if (db_is_broken(r->conn))
			return err_set(e, ERR_UNAVAILABLE, "the database was lost");
	}
	if (rc == ERR_OK && db_rows(&due) == JOB_CHUNK)
		r->more = true;
	return rc;
}

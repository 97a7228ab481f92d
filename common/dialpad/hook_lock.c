#include "common/dialpad/hook_lock.h"

#define KEY "hashtextextended('cti.hooks.' || $1::text, 0)"

static const struct db_stmt TRY_LOCK = {
	.name = "hook_try_lock",
	.sql = "SELECT pg_try_advisory_lock(" KEY ")",
};

static const struct db_stmt UNLOCK = {
	.name = "hook_unlock",
	.sql = "SELECT pg_advisory_unlock(" KEY ")",
};

static enum err_code
ask(struct db_conn *c, const struct db_stmt *s, struct uuid app_id, bool *answer, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, s, &p, &r, e);
	if (rc == ERR_OK)
		*answer = db_bool(&r, 0, 0);
	return rc;
}

enum err_code
hook_lock_try(struct db_conn *c, struct uuid app_id, bool *mine, struct err *e)
{
	return ask(c, &TRY_LOCK, app_id, mine, e);
}

/* A connection that cannot unlock is broken, and has lost the lock. */
void
hook_lock_release(struct db_conn *c, struct uuid app_id)
{
	struct err ignored;
	bool was_mine;

	(void)ask(c, &UNLOCK, app_id, &was_mine, &ignored);
}

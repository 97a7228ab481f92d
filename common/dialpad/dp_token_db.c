#include "common/dialpad/dp_token_db.h"

/* last_refresh_at is that of the last attempt; it succeeded while refresh_failures is 0. */
#define GIVEN_AT "CASE WHEN refresh_failures = 0 THEN coalesce(last_refresh_at, connected_at) END"

/* After a failure: 5 s, doubling, at most an hour. */
#define IS_PAUSED                                                              \
	"(refresh_failures > 0 AND last_refresh_at + least(interval '1 hour'," \
	" interval '5 s' * power(2, least(refresh_failures, 12) - 1)) > clock_timestamp())"

/* Ten minutes before the end of the token, or in the middle of a short life. After a failure, which
 * can only be that of a due refresh, at once. */
#define IS_DUE                                                                           \
	"(token_expires_at IS NOT NULL AND (refresh_failures > 0 OR"                     \
	" token_expires_at - least(interval '10 min',"                                   \
	" (token_expires_at - coalesce(last_refresh_at, connected_at, created_at)) / 2)" \
	" <= clock_timestamp()))"

#define COLUMNS                                                                              \
	"state, environment, last_error, access_token, refresh_token,"                       \
	" coalesce(token_expires_at <= clock_timestamp(), false),"                           \
	" coalesce(token_expires_at <= clock_timestamp() + interval '30 s', false), " IS_DUE \
	", " IS_PAUSED ", coalesce(" GIVEN_AT " > clock_timestamp() - interval '1 min', false)"
enum {
	COL_STATE,
	COL_ENVIRONMENT,
	COL_LAST_ERROR,
	COL_ACCESS,
	COL_REFRESH,
	COL_EXPIRED,
	COL_EXPIRING,
	COL_DUE,
	COL_PAUSED,
	COL_NEW
};

static const struct db_stmt READ = {
	.name = "dp_token_read",
	.sql = "SELECT " COLUMNS " FROM dialpad_connections WHERE app_id = $1",
};

static const struct db_stmt READ_LOCKED = {
	.name = "dp_token_read_locked",
	.sql = "SELECT " COLUMNS " FROM dialpad_connections WHERE app_id = $1 FOR UPDATE",
};

/* now() is before the request to Dialpad was sent, so the token ends no later than is stored; on another
 * connection it is some seconds after it. That the connection needs a person was said by whoever sent
 * the old refresh token after this pair had been given for it. */
static const struct db_stmt STORE = {
	.name = "dp_token_store",
	.sql = "UPDATE dialpad_connections SET access_token = $2,"
	       " refresh_token = coalesce($3, refresh_token),"
	       " token_expires_at = now() + make_interval(secs => $4),"
	       " state = 'connected', last_error = NULL,"
	       " last_refresh_at = now(), refresh_failures = 0, updated_at = now()"
	       " WHERE app_id = $1 AND state IN ('connected', 'needs_reconnect')"
	       " AND refresh_token = $5",
};

static const struct db_stmt NOTE_FAILURE = {
	.name = "dp_token_note_failure",
	.sql =
	    "UPDATE dialpad_connections SET last_error = $2, last_refresh_at = clock_timestamp(),"
	    " refresh_failures = refresh_failures + 1, updated_at = now() WHERE app_id = $1",
};

static const struct db_stmt GIVE_UP = {
	.name = "dp_token_give_up",
	.sql = "UPDATE dialpad_connections SET state = 'needs_reconnect', last_error = $2,"
	       " last_refresh_at = clock_timestamp(), refresh_failures = refresh_failures + 1,"
	       " updated_at = now() WHERE app_id = $1",
};

static const struct db_stmt EXPIRE = {
	.name = "dp_token_expire",
	.sql = "UPDATE dialpad_connections SET token_expires_at = now(), updated_at = now()"
	       " WHERE app_id = $1",
};

static const struct db_stmt LIST_DUE = {
	.name = "dp_token_list_due",
	.sql = "SELECT app_id FROM dialpad_connections"
	       " WHERE app_id > $1 AND state = 'connected' AND environment = $2"
	       " AND (refresh_token IS NOT NULL OR token_expires_at <= clock_timestamp())"
	       " AND app_id IN"
	       " (SELECT app_id FROM apps WHERE deleted_at IS NULL) AND " IS_DUE
	       " AND NOT " IS_PAUSED " ORDER BY app_id LIMIT $3",
};

enum err_code
dp_token_db_read(struct db_conn *c, struct uuid app_id, bool lock, struct db_result *r,
    struct dp_token_row *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, lock ? &READ_LOCKED : &READ, &p, r, e);
	if (rc != ERR_OK)
		return rc;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, "Dialpad was never connected");
	*out = (struct dp_token_row){
		.state = db_str(r, 0, COL_STATE),
		.environment = db_str(r, 0, COL_ENVIRONMENT),
		.last_error = db_str(r, 0, COL_LAST_ERROR),
		.access = db_str(r, 0, COL_ACCESS),
		.refresh = db_str(r, 0, COL_REFRESH),
		.expired = db_bool(r, 0, COL_EXPIRED),
		.expiring = db_bool(r, 0, COL_EXPIRING),
		.due = db_bool(r, 0, COL_DUE),
		.paused = db_bool(r, 0, COL_PAUSED),
		.new_token = db_bool(r, 0, COL_NEW),
	};
	return ERR_OK;
}

enum err_code
dp_token_db_store(
    struct db_conn *c, struct uuid app_id, const struct dp_token_pair *pair, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_bytea(&p, pair->access);
	db_p_bytea(&p, pair->refresh);
	if (pair->expires_in_s > 0)
		db_p_f64(&p, (double)pair->expires_in_s);
	else
		db_p_null(&p, DB_F64);
	db_p_bytea(&p, pair->replaces);
	rc = db_exec(c, &STORE, &p, &r, e);
	if (rc == ERR_OK && db_affected(&r) == 0)
		return err_set(e, ERR_CONFLICT, "another token was stored meanwhile");
	return rc;
}

static enum err_code
update(struct db_conn *c, const struct db_stmt *s, struct uuid app_id, const char *reason,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	if (reason != NULL)
		db_p_text(&p, str_of(reason));
	return db_exec(c, s, &p, NULL, e);
}

enum err_code
dp_token_db_note_failure(struct db_conn *c, struct uuid app_id, const char *reason, struct err *e)
{
	return update(c, &NOTE_FAILURE, app_id, reason, e);
}

enum err_code
dp_token_db_give_up(struct db_conn *c, struct uuid app_id, const char *reason, struct err *e)
{
	return update(c, &GIVE_UP, app_id, reason, e);
}

enum err_code
dp_token_db_expire(struct db_conn *c, struct uuid app_id, struct err *e)
{
	return update(c, &EXPIRE, app_id, NULL, e);
}

enum err_code
dp_token_db_list_due(struct db_conn *c, const char *environment, struct uuid after, int64_t limit,
    struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, after);
	db_p_text(&p, str_of(environment));
	db_p_i64(&p, limit);
	return db_exec(c, &LIST_DUE, &p, out, e);
}

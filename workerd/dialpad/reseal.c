#include "workerd/dialpad/reseal.h"

#include "common/base/log.h"
#include "common/crypto/seal.h"
#include "common/db/db.h"
#include "common/dialpad/dp_token.h"

#include <inttypes.h>

enum { STATEMENT_MS = 30000, CONNECT_MS = 5000, CONNINFO_BYTES = 8192, MAX_BYTES = 32 * 1024 };

static const struct db_stmt LIST = {
	.name = "reseal_list",
	.sql = "SELECT app_id FROM dialpad_connections"
	       " WHERE access_token IS NOT NULL OR refresh_token IS NOT NULL ORDER BY app_id",
};

static const struct db_stmt LOCK = {
	.name = "reseal_lock",
	.sql = "SELECT access_token, refresh_token FROM dialpad_connections"
	       " WHERE app_id = $1 FOR UPDATE",
};

static const struct db_stmt STORE = {
	.name = "reseal_store",
	.sql = "UPDATE dialpad_connections SET access_token = $2, refresh_token = $3,"
	       " updated_at = now() WHERE app_id = $1",
};

struct reseal {
	struct db_conn *conn;
	struct seal_keys keys;
	int64_t sealed, failed;
};

/* ---- one app ---- */

/* Appends the value sealed anew; STR_NONE stays so. */
static enum err_code
seal_anew(struct reseal *r, struct seal_place place, struct str old, struct buf *out, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf plain = BUF(MAX_BYTES);
	enum err_code rc;

	if (old.p == NULL)
		return ERR_OK;
	rc = seal_open(&r->keys, place, old, &plain, e);
	if (rc == ERR_OK)
		seal_lock(&r->keys, place, buf_str(&plain), out);
	buf_wipe(&plain);
	return rc;
}

static enum err_code
store(struct reseal *r, struct uuid app_id, struct str access, struct str refresh, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_bytea(&p, access);
	db_p_bytea(&p, refresh);
	return db_exec(r->conn, &STORE, &p, NULL, e);
}

static enum err_code
lock(struct reseal *r, struct uuid app_id, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(r->conn, &LOCK, &p, out, e);
	if (rc == ERR_OK && db_rows(out) == 0)
		return err_set(e, ERR_NOT_FOUND, "deleted meanwhile");
	return rc;
}

static enum err_code
reseal_locked(struct reseal *r, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result row = DB_RESULT_NONE;
	AUTO_RELEASE(buf_release) struct buf access = BUF(MAX_BYTES);
	AUTO_RELEASE(buf_release) struct buf refresh = BUF(MAX_BYTES);
	enum err_code rc = lock(r, app_id, &row, e);

	if (rc == ERR_OK)
		rc = seal_anew(r, (struct seal_place){ app_id, DP_ACCESS_TOKEN },
		    db_str(&row, 0, 0), &access, e);
	if (rc == ERR_OK)
		rc = seal_anew(r, (struct seal_place){ app_id, DP_REFRESH_TOKEN },
		    db_str(&row, 0, 1), &refresh, e);
	if (rc == ERR_OK)
		rc = store(r, app_id, access.n > 0 ? buf_str(&access) : STR_NONE,
		    refresh.n > 0 ? buf_str(&refresh) : STR_NONE, e);
	return rc == ERR_OK ? db_commit(r->conn, e) : rc;
}

static enum err_code
reseal_one(struct reseal *r, struct uuid app_id, struct err *e)
{
	enum err_code rc = db_begin(r->conn, e);

	if (rc == ERR_OK)
		rc = reseal_locked(r, app_id, e);
	if (rc != ERR_OK)
		db_rollback(r->conn);
	return rc;
}

/* ---- all of them ---- */

/* A token that does not open is reported, and the next one taken. */
static enum err_code
reseal_all(struct reseal *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result apps = DB_RESULT_NONE;
	enum err_code rc = db_exec(r->conn, &LIST, NULL, &apps, e);

	for (int i = 0; rc == ERR_OK && i < db_rows(&apps); i++) {
		char app[UUID_TEXT_BYTES];

		log_context_set("", uuid_format(db_uuid(&apps, i, 0), app));
		rc = reseal_one(r, db_uuid(&apps, i, 0), e);
		if (rc == ERR_OK)
			r->sealed++;
		if (rc == ERR_INTERNAL && !db_is_broken(r->conn)) {
			log_err(LOG_ERROR, "reseal.not_opened", e);
			r->failed++;
		}
		if (rc == ERR_INTERNAL || rc == ERR_NOT_FOUND)
			rc = db_is_broken(r->conn) ? rc : ERR_OK;
		log_context_clear();
	}
	return rc;
}

static enum err_code
connect_and_reseal(struct reseal *r, const struct conf *c, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf conninfo = BUF(CONNINFO_BYTES);
	AUTO(db_conn) struct db_conn *conn = NULL;
	enum err_code rc = db_conninfo(c, &conninfo, e);

	if (rc == ERR_OK && r->keys.n == 0)
		rc = err_set(e, ERR_INVALID, "TOKEN_ENCRYPTION_KEY is not set");
	if (rc == ERR_OK)
		rc = db_connect(
		    &(struct db_opts){
			.url = buf_c(&conninfo),
			.role = c->db_role,
			.app_name = "workerd reseal",
			.unnamed = strcmp(c->db_prepare, "unnamed") == 0,
			.timeout_ms = STATEMENT_MS,
			.connect_ms = CONNECT_MS,
		    },
		    &conn, e);
	buf_wipe(&conninfo);
	if (rc != ERR_OK)
		return rc;
	r->conn = conn;
	return reseal_all(r, e);
}

static enum err_code
parse(void *self, int argc, char **argv, struct err *e)
{
	(void)self;
	(void)argv;
	return argc == 0 ? ERR_OK : err_set(e, ERR_INVALID, "it takes no arguments");
}

static int
run(void *self, const struct conf *c)
{
	struct reseal r = { .sealed = 0 };
	struct err e;
	enum err_code rc;

	(void)self;
	seal_keys_init(&r.keys, str_of(c->token_key), str_of(c->token_key_previous));
	rc = connect_and_reseal(&r, c, &e);
	seal_keys_wipe(&r.keys);
	if (rc != ERR_OK)
		log_err(LOG_ERROR, "reseal.failed", &e);
	log_info("reseal.done", "connections=%" PRId64 " not_opened=%" PRId64, r.sealed, r.failed);
	return rc == ERR_OK && r.failed == 0 ? 0 : 1;
}

const struct daemon_command reseal_command = {
	.name = "--reseal",
	.help = "  --reseal             seal all tokens anew under TOKEN_ENCRYPTION_KEY\n",
	.parse = parse,
	.run = run,
};

#include "apid/admin/detach.h"

#include "apid/admin/connections_db.h"
#include "apid/admin/unhook.h"
#include "apid/apid.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/dialpad/dialpad_oauth.h"
#include "common/dialpad/dp_token.h"
#include "common/dialpad/hook_lock.h"

/* As long as workerd's longest wait for one answer of Dialpad's. */
enum { TURN_MS = 9000, TURN_PAUSE_MS = 50 };

/* A refresh under way holds the row for as long as Dialpad may take to answer. */
static const char WAIT_FOR_REFRESH[] = "SET lock_timeout = '9500ms'";

/* ---- webhook and subscriptions ---- */

static enum err_code
wait_for_turn(struct db_conn *c, struct uuid app_id, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + TURN_MS;
	bool mine = false;
	enum err_code rc;

	for (;;) {
		rc = hook_lock_try(c, app_id, &mine, e);
		if (rc != ERR_OK || mine)
			return rc;
		if (clock_mono_ms() >= until_ms)
			return err_set(e, ERR_UNAVAILABLE, "workerd was changing the webhook");
		clock_sleep_ms(TURN_PAUSE_MS);
	}
}

/* Holds the lock of the hooks until *c is closed, so that workerd does not make them again. */
static enum err_code
remove_hooks(const struct apid *api, struct uuid app_id, struct db_conn **c, struct err *e)
{
	const struct db_opts db = apid_direct_db(api, "cti_admin");
	enum err_code rc = db_connect(&db, c, e);

	if (rc == ERR_OK)
		rc = db_command(*c, WAIT_FOR_REFRESH, e);
	if (rc == ERR_OK)
		rc = wait_for_turn(*c, app_id, e);
	return rc == ERR_OK ? unhook(api, *c, &db, app_id, e) : rc;
}

static const char *
tell_not_removed(enum err_code rc, const struct err *why)
{
	if (rc == ERR_OK)
		return NULL;
	log_err(LOG_WARN, "connection.webhook_not_removed", why);
	return rc == ERR_CONFLICT
	    ? "there is no token that Dialpad accepts; remove it there by hand"
	    : "Dialpad could not be asked; the log says why. Remove it there by hand";
}

/* ---- tokens ---- */

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

static enum err_code
deauthorize(const struct apid *api, struct uuid app_id, struct str sealed, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf token = BUF(DIALPAD_MAX_TOKEN_BYTES);
	enum err_code rc = seal_open(
	    &api->seal_keys, (struct seal_place){ app_id, DP_ACCESS_TOKEN }, sealed, &token, e);

	return rc == ERR_OK ? dialpad_deauthorize(api->dialpad, buf_str(&token), e) : rc;
}

/* An access token that has ended revokes nothing, so the refresh token is turned into another one. */
static enum err_code
refresh_and_deauthorize(
    const struct apid *api, struct uuid app_id, struct str sealed, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf refresh = BUF(DIALPAD_MAX_TOKEN_BYTES);
	AUTO_RELEASE(dialpad_tokens_release) struct dialpad_tokens t;
	struct dialpad_refusal why;
	enum err_code rc;

	dialpad_tokens_init(&t);
	rc = seal_open(
	    &api->seal_keys, (struct seal_place){ app_id, DP_REFRESH_TOKEN }, sealed, &refresh, e);
	if (rc == ERR_OK)
		rc = dialpad_refresh(api->dialpad, buf_str(&refresh), &t, &why, e);
	return rc == ERR_OK ? dialpad_deauthorize(api->dialpad, buf_str(&t.access), e) : rc;
}

/* Have Dialpad take back what is forgotten here already. */
static const char *
revoke_tokens(const struct apid *api, struct uuid app_id, const struct connection_tokens *t)
{
	struct err why;
	enum err_code rc;

	if (t->access.p == NULL)
		return "there was no token";
	if (t->is_shared)
		return "another app lives by tokens of the same person, and Dialpad would end those "
		       "too";
	rc = deauthorize(api, app_id, t->access, &why);
	if (rc == ERR_UNAUTHORIZED && t->refresh.p != NULL)
		rc = refresh_and_deauthorize(api, app_id, t->refresh, &why);
	if (rc == ERR_OK)
		return NULL;
	log_err(LOG_WARN, "connection.not_revoked", &why);
	return rc == ERR_UNAUTHORIZED || rc == ERR_INVALID
	    ? "the token was worthless at Dialpad already"
	    : "Dialpad could not be asked; the log says why";
}

/* ---- both ---- */

enum err_code
detach(const struct http_req *req, struct uuid app_id, bool forget_company, struct detached *out,
    struct err *e)
{
	const struct apid *api = req->self;
	AUTO(db_conn) struct db_conn *turn = NULL;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct connection_tokens tokens;
	struct detached d;
	struct err why;
	enum err_code rc = remove_hooks(api, app_id, &turn, &why);

	if (rc == ERR_NOT_FOUND)
		return err_set(e, rc, "Dialpad was never connected to this app");
	d.not_removed = tell_not_removed(rc, &why);
	rc = connections_db_end(req, app_id, forget_company, &r, &tokens, e);
	if (rc != ERR_OK)
		return rc;
	d.not_revoked = revoke_tokens(api, app_id, &tokens);
	*out = d;
	return ERR_OK;
}

void
detach_tell(const struct detached *d, struct json_out *j)
{
	jo_kv_bool(j, "webhook_removed", d->not_removed == NULL);
	jo_kv_str(j, "webhook_not_removed_because", str_of(d->not_removed));
	jo_kv_bool(j, "revoked_at_dialpad", d->not_revoked == NULL);
	jo_kv_str(j, "not_revoked_because", str_of(d->not_revoked));
}

#include "common/dialpad/dp_token.h"

#include "common/base/clock.h"
#include "common/base/metric.h"
#include "common/dialpad/dialpad_oauth.h"
#include "common/dialpad/dp_token_db.h"

#include <sodium.h>

enum { STORE_ATTEMPTS = 5, STORE_PAUSE_MS = 500, MAX_SEALED_BYTES = DIALPAD_MAX_TOKEN_BYTES + 256 };

static struct metric refreshes_total = METRIC_COUNTER("cti_token_refreshes_total",
    "Attempts to refresh a token of Dialpad: ok, failed (repeated later), refused (for good).",
    "result");

void
dp_token_declare_metrics(void)
{
	metric_declare(&refreshes_total, "ok");
	metric_declare(&refreshes_total, "failed");
	metric_declare(&refreshes_total, "refused");
}

/* One app's token, while somebody wants it. */
struct want {
	const struct dp_tokens *t;
	struct db_conn *c;
	struct uuid app_id;
	bool ahead;        /* refresh when it is due, not only when it expires */
	struct buf *token; /* gets the token; NULL: not wanted */
};

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

/* ---- what the row says ---- */

static enum err_code
check_connected(const struct want *w, const struct dp_token_row *row, struct err *e)
{
	if (!str_eq(row->state, STR("connected"))) {
		bool said = row->last_error.n > 0;

		return err_set(e, ERR_CONFLICT, "Dialpad is not connected (%.*s)%s%.*s",
		    STR_ARG(row->state), said ? ": " : "", STR_ARG(row->last_error));
	}
	if (!str_eq(row->environment, str_of(w->t->environment)))
		return err_set(e, ERR_CONFLICT,
		    "Dialpad's %.*s was connected, but this server uses %s: connect again",
		    STR_ARG(row->environment), w->t->environment);
	return ERR_OK;
}

static enum err_code
read_row(
    const struct want *w, bool lock, struct db_result *r, struct dp_token_row *row, struct err *e)
{
	enum err_code rc = dp_token_db_read(w->c, w->app_id, lock, r, row, e);

	return rc == ERR_OK ? check_connected(w, row, e) : rc;
}

static struct seal_place
place_of(const struct want *w, const char *purpose)
{
	return (struct seal_place){ w->app_id, purpose };
}

/* The stored access token, to whoever wants one. */
static enum err_code
give(const struct want *w, const struct dp_token_row *row, struct err *e)
{
	if (w->token == NULL)
		return ERR_OK;
	return seal_open(w->t->keys, place_of(w, DP_ACCESS_TOKEN), row->access, w->token, e);
}

/* Is this what is sealed there? */
static enum err_code
is_sealed(const struct want *w, const char *purpose, struct str sealed, struct str plain,
    bool *same, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf opened = BUF(DIALPAD_MAX_TOKEN_BYTES);
	enum err_code rc;

	*same = false;
	if (sealed.p == NULL)
		return ERR_OK;
	rc = seal_open(w->t->keys, place_of(w, purpose), sealed, &opened, e);
	if (rc == ERR_OK)
		*same = opened.n == plain.n && sodium_memcmp(opened.p, plain.p, plain.n) == 0;
	return rc;
}

/* ---- a refresh came to nothing ---- */

/* Is it this refresh token that Dialpad will never take? Not when it is our client, or the request,
 * that is refused: those are the same for every app, and an operator can mend them. */
static bool
is_for_good(const struct dialpad_refusal *why)
{
	static const char *const not_the_token[] = { "invalid_client", "unauthorized_client",
		"invalid_request", "unsupported_grant_type", "server_error",
		"temporarily_unavailable" };

	if (why->status != 400 && why->status != 401 && why->status != 403)
		return false;
	for (size_t i = 0; i < sizeof not_the_token / sizeof not_the_token[0]; i++)
		if (strcmp(why->error, not_the_token[i]) == 0)
			return false;
	return true;
}

/* Inside the transaction, which ends here. */
static enum err_code
give_up(const struct want *w, const char *reason, struct err *e)
{
	enum err_code rc = dp_token_db_give_up(w->c, w->app_id, reason, e);

	if (rc == ERR_OK)
		rc = db_commit(w->c, e);
	if (rc != ERR_OK)
		return rc;
	metric_add(&refreshes_total, "refused", 1);
	return err_set(e, ERR_CONFLICT, "Dialpad has to be connected again: %s", reason);
}

/* Inside the transaction, which ends here. The old token serves as long as it lives. */
static enum err_code
try_later(
    const struct want *w, const struct dp_token_row *row, const struct err *why, struct err *e)
{
	enum err_code rc = dp_token_db_note_failure(w->c, w->app_id, why->msg, e);

	if (rc == ERR_OK)
		rc = db_commit(w->c, e);
	metric_add(&refreshes_total, "failed", 1);
	if (rc != ERR_OK)
		return rc;
	if (w->token != NULL && !row->expired)
		return give(w, row, e);
	return err_set(e, ERR_UNAVAILABLE, "no token of Dialpad now: %s", why->msg);
}

/* ---- a refresh succeeded ---- */

/* What Dialpad gave, also as it is stored, and the refresh token that it took for it. */
struct taken {
	const struct dialpad_tokens *got;
	struct str old;
	struct buf access, refresh; /* sealed */
	struct dp_token_pair pair;
};

static void
seal_pair(const struct want *w, struct str replaces, struct taken *t)
{
	const struct dialpad_tokens *got = t->got;

	seal_lock(w->t->keys, place_of(w, DP_ACCESS_TOKEN), buf_str(&got->access), &t->access);
	if (got->refresh.n > 0)
		seal_lock(
		    w->t->keys, place_of(w, DP_REFRESH_TOKEN), buf_str(&got->refresh), &t->refresh);
	t->pair = (struct dp_token_pair){
		.access = buf_str(&t->access),
		.refresh = got->refresh.n > 0 ? buf_str(&t->refresh) : STR_NONE,
		.expires_in_s = got->expires_in_s,
		.replaces = replaces,
	};
}

static void
release_sealed(struct taken *t)
{
	buf_release(&t->access);
	buf_release(&t->refresh);
}

static enum err_code
store_if_unchanged(struct db_conn *c, const struct want *w, const struct taken *t, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct dp_token_pair pair = t->pair;
	struct dp_token_row row;
	bool same = false;
	enum err_code rc = dp_token_db_read(c, w->app_id, true, &r, &row, e);

	if (rc == ERR_OK)
		rc = is_sealed(w, DP_REFRESH_TOKEN, row.refresh, t->old, &same, e);
	if (rc == ERR_OK && same) {
		pair.replaces = row.refresh;
		return dp_token_db_store(c, w->app_id, &pair, e);
	}
	if (rc == ERR_OK)
		rc = is_sealed(w, DP_ACCESS_TOKEN, row.access, buf_str(&t->got->access), &same, e);
	return rc == ERR_OK && !same
	    ? err_set(e, ERR_CONFLICT, "another token was stored meanwhile")
	    : rc;
}

/* Whoever had the row in between may have sealed the old refresh token anew, or sent it to Dialpad and
 * been refused: the pair is taken as long as that token is there. When the answer to its COMMIT was lost
 * the pair itself may be. */
static enum err_code
store_over(struct db_conn *c, const struct want *w, const struct taken *t, struct err *e)
{
	enum err_code rc = db_begin(c, e);

	if (rc == ERR_OK)
		rc = store_if_unchanged(c, w, t, e);
	return rc == ERR_OK ? db_commit(c, e) : rc;
}

/* Dialpad takes the old refresh token no more, so this pair must not be lost with a connection. */
static enum err_code
store_on_another(const struct want *w, const struct taken *t, struct err *e)
{
	enum err_code rc = ERR_UNAVAILABLE;

	for (int i = 0; i < STORE_ATTEMPTS; i++) {
		AUTO(db_conn) struct db_conn *c = NULL;

		clock_sleep_ms(STORE_PAUSE_MS * i);
		rc = db_connect(&w->t->db, &c, e);
		if (rc == ERR_OK)
			rc = store_over(c, w, t, e);
		if (rc == ERR_OK || rc == ERR_CONFLICT)
			break;
	}
	return rc;
}

static enum err_code
commit_pair(const struct want *w, const struct taken *t, struct err *e)
{
	enum err_code rc = dp_token_db_store(w->c, w->app_id, &t->pair, e);

	if (rc == ERR_OK)
		rc = db_commit(w->c, e);
	if (rc == ERR_OK)
		return ERR_OK;
	db_rollback(w->c);
	return store_on_another(w, t, e);
}

static enum err_code
keep(const struct want *w, const struct dialpad_tokens *got, struct str old, struct str replaces,
    struct err *e)
{
	AUTO_RELEASE(release_sealed)
	struct taken t = {
		.got = got,
		.old = old,
		.access = BUF(MAX_SEALED_BYTES),
		.refresh = BUF(MAX_SEALED_BYTES),
	};
	enum err_code rc;

	seal_pair(w, replaces, &t);
	rc = commit_pair(w, &t, e);
	if (rc != ERR_OK)
		return rc;
	metric_add(&refreshes_total, "ok", 1);
	if (w->token != NULL)
		buf_add_str(w->token, buf_str(&got->access));
	return ERR_OK;
}

/* ---- one refresh, under the lock ---- */

static enum err_code
ask_dialpad(const struct want *w, const struct dp_token_row *row, struct err *e)
{
	AUTO_RELEASE(dialpad_tokens_release) struct dialpad_tokens got;
	AUTO_RELEASE(wipe_and_release) struct buf old = BUF(DIALPAD_MAX_TOKEN_BYTES);
	struct dialpad_refusal refusal;
	struct err why;
	enum err_code rc;

	dialpad_tokens_init(&got);
	rc = seal_open(w->t->keys, place_of(w, DP_REFRESH_TOKEN), row->refresh, &old, e);
	if (rc != ERR_OK)
		return rc;
	rc = dialpad_refresh(w->t->api, buf_str(&old), &got, &refusal, &why);
	if (rc == ERR_OK)
		return keep(w, &got, buf_str(&old), row->refresh, e);
	return is_for_good(&refusal) ? give_up(w, why.msg, e) : try_later(w, row, &why, e);
}

static enum err_code
refresh_locked(const struct want *w, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct dp_token_row row;
	enum err_code rc = read_row(w, true, &r, &row, e);

	if (rc != ERR_OK)
		return rc;
	if (!row.expiring && !(w->ahead && row.due))
		return give(w, &row, e); /* somebody else has done it */
	if (row.refresh.p == NULL && !row.expired)
		return give(w, &row, e);
	if (row.refresh.p == NULL)
		return give_up(w, "the token has ended, and Dialpad gave none to refresh it", e);
	if (row.paused && !row.expired)
		return give(w, &row, e);
	if (row.paused)
		return err_set(e, ERR_UNAVAILABLE,
		    "no token of Dialpad now, the next attempt waits: %.*s",
		    STR_ARG(row.last_error));
	return ask_dialpad(w, &row, e);
}

static enum err_code
refresh(const struct want *w, struct err *e)
{
	enum err_code rc = db_begin(w->c, e);

	if (rc != ERR_OK)
		return rc;
	rc = refresh_locked(w, e);
	db_rollback(w->c); /* what was to be kept is committed */
	return rc;
}

/* ---- what others call ---- */

enum err_code
dp_token_get(const struct dp_tokens *t, struct db_conn *c, struct uuid app_id, struct buf *token,
    struct err *e)
{
	const struct want w = { t, c, app_id, false, token };
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct dp_token_row row;
	enum err_code rc = read_row(&w, false, &r, &row, e);

	if (rc != ERR_OK)
		return rc;
	return row.expiring ? refresh(&w, e) : give(&w, &row, e);
}

enum err_code
dp_token_refresh_due(
    const struct dp_tokens *t, struct db_conn *c, struct uuid app_id, struct err *e)
{
	const struct want w = { t, c, app_id, true, NULL };

	return refresh(&w, e);
}

enum err_code
dp_token_list_due(const struct dp_tokens *t, struct db_conn *c, struct uuid after, int64_t limit,
    struct db_result *out, struct err *e)
{
	return dp_token_db_list_due(c, t->environment, after, limit, out, e);
}

/* ---- a token that Dialpad refuses ---- */

static enum err_code
refused_locked(const struct want *w, struct str token, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct dp_token_row row;
	bool is_stored = false;
	enum err_code rc = read_row(w, true, &r, &row, e);

	if (rc == ERR_OK)
		rc = is_sealed(w, DP_ACCESS_TOKEN, row.access, token, &is_stored, e);
	if (rc != ERR_OK || !is_stored)
		return rc;
	if (row.refresh.p == NULL)
		return give_up(w, "Dialpad has ended the token, and gave none to refresh it", e);
	if (row.new_token)
		return give_up(w, "Dialpad refuses a token that it has just given", e);
	rc = dp_token_db_expire(w->c, w->app_id, e);
	return rc == ERR_OK ? db_commit(w->c, e) : rc;
}

enum err_code
dp_token_refused(const struct dp_tokens *t, struct db_conn *c, struct uuid app_id, struct str token,
    struct err *e)
{
	const struct want w = { t, c, app_id, false, NULL };
	enum err_code rc = db_begin(c, e);

	if (rc != ERR_OK)
		return rc;
	rc = refused_locked(&w, token, e);
	db_rollback(c);
	return rc;
}

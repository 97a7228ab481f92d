/*
 * GET /auth/dialpad/callback: a browser comes back from Dialpad, with a code or with an error.
 *
 * Tokens of an account that is then turned away are forgotten and not revoked: at Dialpad that would
 * end every token this person gave us, those of other apps too.
 */
#include "apid/handlers.h"

#include "apid/apid.h"
#include "apid/oauth/connection_db.h"
#include "apid/oauth/login_db.h"
#include "apid/oauth/setup.h"
#include "apid/oauth/tell.h"
#include "common/base/log.h"

enum { MAX_TEXT = 1000 };

static void
release_taken(struct login_taken *t)
{
	buf_wipe(&t->verifier);
	buf_release(&t->verifier);
}

/* ---- Dialpad said no ---- */

/* Only a word is repeated, never a sentence that somebody may have put into the URL. */
static bool
is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_' && (s.p[i] < 'a' || s.p[i] > 'z'))
			return false;
	return s.n > 0 && s.n <= 40;
}

static void
tell_scope_refused(const struct http_req *req, struct http_res *res)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_TEXT);
	const struct apid *api = req->self;

	buf_add_fmt(&text,
	    "Dialpad refuses a scope that this server asks for (%s). The operator has to have "
	    "Dialpad approve each of them for the app, or to take it out of DIALPAD_SCOPES.",
	    api->conf->dialpad.scopes);
	tell_failure(req, res, ERR_INVALID, "Scope not approved", buf_str(&text));
}

static void
tell_refused(const struct http_req *req, struct http_res *res, struct str error)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_TEXT);

	log_info("oauth.refused", "Dialpad: %.*s", STR_ARG(is_word(error) ? error : STR("?")));
	if (str_eq(error, STR("access_denied"))) {
		tell_failure(req, res, ERR_INVALID, "Not connected",
		    STR("Access was denied at Dialpad, so nothing was connected and nothing was "
			"changed. Start again where you clicked to connect Dialpad, and allow it."));
	} else if (str_eq(error, STR("invalid_scope"))) {
		tell_scope_refused(req, res);
	} else if (str_eq(error, STR("server_error"))
	    || str_eq(error, STR("temporarily_unavailable"))) {
		tell_failure(req, res, ERR_UPSTREAM, "Not connected",
		    STR("Dialpad has trouble at the moment. Start again in a few minutes."));
	} else {
		buf_add_fmt(&text, "Dialpad refused the login: %.*s. Nothing was changed.",
		    STR_ARG(is_word(error) ? error : STR("for a reason it did not name")));
		tell_failure(req, res, ERR_INVALID, "Not connected", buf_str(&text));
	}
}

/* ---- connected ---- */

static void
warn_of(struct tell_connected *told, struct str text)
{
	if (text.n > 0 && told->nwarnings < TELL_MAX_WARNINGS)
		told->warnings[told->nwarnings++] = text;
}

static struct str
missing_scopes(struct http_req *req, const struct account *a)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(DIALPAD_MAX_SCOPE_BYTES + MAX_TEXT);

	if (a->missing.n == 0)
		return STR_NONE;
	buf_add_fmt(&text, "Dialpad did not grant: %.*s. What needs it will be missing.",
	    STR_ARG(a->missing));
	return arena_dup(&req->arena, buf_str(&text));
}

/* Where there is a page of the app's to return to, that one tells. */
static void
tell_connected(struct http_req *req, struct http_res *res, const struct login_taken *login,
    const struct account *a, const struct connection_saved *saved)
{
	struct tell_connected told = {
		.app_id = login->app_id,
		.app_name = saved->app_name,
		.environment = login->environment,
		.company = a->company,
		.person = connection_person(req, a),
	};

	if (login->return_to.p != NULL) {
		http_header_add(res, "Location", login->return_to);
		res->status = 302;
		return;
	}
	if (!a->is_company_admin)
		warn_of(&told,
		    STR("You are no admin of the company at Dialpad. What only admins may do, such "
			"as listing past calls, will be missing until an admin connects this app."));
	warn_of(&told, missing_scopes(req, a));
	warn_of(&told, connection_flaw(a));
	tell_success(req, res, &told);
}

/* ---- the way through ---- */

/* CONFLICT and FORBIDDEN are about this account, and told as such; the rest is our own trouble. */
static enum err_code
tell_turned_away(const struct http_req *req, struct http_res *res, struct err *why, struct err *e)
{
	if (why->code != ERR_CONFLICT && why->code != ERR_FORBIDDEN) {
		*e = *why;
		return e->code;
	}
	log_err(LOG_WARN, "oauth.turned_away", why);
	tell_failure(req, res, why->code, "Not connected", str_of(why->msg));
	return ERR_OK;
}

static enum err_code
connect_account(struct http_req *req, struct http_res *res, const struct login_taken *login,
    struct str code, struct err *e)
{
	AUTO_RELEASE(account_release) struct account a;
	struct connection_saved saved;
	struct err why;

	account_init(&a);
	if (account_fetch(req, code, buf_str(&login->verifier), &a, &why) != ERR_OK) {
		tell_failure(req, res, ERR_UPSTREAM, "Not connected", str_of(why.msg));
		return ERR_OK;
	}
	if (connection_db_save(req, login->app_id, &a, &saved, &why) != ERR_OK)
		return tell_turned_away(req, res, &why, e);
	log_info("oauth.connected", "company %lld, %s, scopes: %.*s", (long long)a.user.company_id,
	    a.is_company_admin ? "by an admin" : "by a member", STR_ARG(a.granted));
	tell_connected(req, res, login, &a, &saved);
	return ERR_OK;
}

static enum err_code
finish(struct http_req *req, struct http_res *res, const struct login_taken *login, struct err *e)
{
	const struct apid *api = req->self;
	struct str code = http_query(req, "code"), error = http_query(req, "error");

	if (error.p != NULL) {
		tell_refused(req, res, error);
		return ERR_OK;
	}
	if (code.p == NULL)
		return err_set(
		    e, ERR_INVALID, "code is missing: Dialpad sends it with the browser");
	if (!str_eq(login->environment, str_of(api->conf->dialpad_env)))
		return err_set(e, ERR_INVALID,
		    "state: this login began at Dialpad's %.*s, and this server now uses %s. Start "
		    "again",
		    STR_ARG(login->environment), api->conf->dialpad_env);
	return connect_account(req, res, login, code, e);
}

/* Unknown parameters are let pass here: Dialpad may add some. */
enum err_code
oauth_callback(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(release_taken) struct login_taken login = { .verifier = BUF(0) };
	const struct apid *api = req->self;
	struct str state = http_query(req, "state"), cookie = STR_NONE;
	char app[UUID_TEXT_BYTES];
	enum err_code rc;

	if (!setup_is_complete(req, res))
		return ERR_OK;
	if (state.p == NULL && http_query(req, "error").p != NULL) {
		tell_refused(req, res, http_query(req, "error"));
		return ERR_OK;
	}
	if (state.p != NULL)
		cookie = login_cookie_get(req, state, api->conf->production);
	rc = login_db_take(req, state, cookie, &login, e);
	if (rc != ERR_OK)
		return rc;
	req->actor = "dialpad login";
	log_context_set(req->request_id, uuid_format(login.app_id, app));
	login_cookie_set(res, state, STR_NONE, api->conf->production);
	return finish(req, res, &login, e);
}

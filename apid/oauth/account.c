#include "apid/oauth/account.h"

#include "apid/apid.h"
#include "common/base/log.h"

void
account_init(struct account *a)
{
	*a = (struct account){ .is_company_admin = false };
	dialpad_tokens_init(&a->tokens);
}

void
account_release(struct account *a)
{
	dialpad_tokens_release(&a->tokens);
}

/* ---- failures, in words for the person who is waiting ---- */

static enum err_code
explain(enum err_code code, const struct err *why, struct err *e)
{
	log_err(LOG_WARN, "oauth.dialpad_failed", why);
	if (code == ERR_UPSTREAM || code == ERR_INVALID)
		return err_set(e, ERR_UPSTREAM,
		    "Dialpad's answer could not be used. Nothing was changed. Try again, and if it "
		    "happens once more tell the operator of this server.");
	return err_set(e, ERR_UPSTREAM,
	    "Dialpad did not answer, or has trouble at the moment. Nothing was changed. Start "
	    "again in a few minutes.");
}

static enum err_code
explain_exchange(
    enum err_code code, const struct dialpad_refusal *refusal, const struct err *why, struct err *e)
{
	if (refusal->status < 400 || refusal->status > 403)
		return explain(code, why, e);
	log_err(LOG_WARN, "oauth.code_refused", why);
	if (refusal->status == 401 || strcmp(refusal->error, "invalid_client") == 0)
		return err_set(e, ERR_UPSTREAM,
		    "Dialpad does not accept this server's client id and secret. Its operator has "
		    "to look at them, and whether they belong to this environment of Dialpad.");
	return err_set(e, ERR_UPSTREAM,
	    "Dialpad did not accept this login, which may have taken too long. Nothing was "
	    "changed. Start again where you clicked to connect Dialpad.");
}

/* ---- scopes ---- */

static struct str
next_scope(struct str *list)
{
	struct str scope = STR_NONE;

	while (scope.n == 0 && list->n > 0)
		scope = str_cut(*list, ' ', list);
	return scope;
}

static bool
has_scope(struct str list, struct str scope)
{
	struct str s;

	while ((s = next_scope(&list)).n > 0)
		if (str_eq(s, scope))
			return true;
	return false;
}

/* A server that grants less than it was asked for says what it granted (RFC 6749, 5.1). */
static void
compare_scopes(struct http_req *req, struct account *a)
{
	const struct apid *api = req->self;
	AUTO_RELEASE(buf_release) struct buf missing = BUF(DIALPAD_MAX_SCOPE_BYTES);
	struct str asked = str_of(api->conf->dialpad.scopes), scope;

	a->granted = a->tokens.scope.n > 0 ? buf_str(&a->tokens.scope) : asked;
	while ((scope = next_scope(&asked)).n > 0) {
		if (has_scope(a->granted, scope))
			continue;
		if (missing.n > 0)
			buf_add_char(&missing, ' ');
		buf_add_str(&missing, scope);
	}
	a->missing = missing.n > 0 ? arena_dup(&req->arena, buf_str(&missing)) : STR_NONE;
}

/* ---- whose tokens they are ---- */

/* Dialpad shows the company to its admins alone. */
static enum err_code
fetch_company(struct http_req *req, struct str token, struct account *a, struct err *e)
{
	const struct apid *api = req->self;
	struct dialpad_company c;
	enum err_code rc = dialpad_company(api->dialpad, token, &req->arena, &c, e);

	if (rc == ERR_FORBIDDEN)
		return ERR_OK;
	if (rc != ERR_OK)
		return rc;
	if (c.id != a->user.company_id)
		return err_set(e, ERR_UPSTREAM, "Dialpad names two companies for one token");
	a->company = c.name;
	a->is_company_admin = a->user.is_admin;
	return ERR_OK;
}

/* They only help to find the owner of events that name none. */
static void
fetch_offices(struct http_req *req, struct str token, struct account *a)
{
	const struct apid *api = req->self;
	struct err why;

	a->has_offices =
	    dialpad_offices(api->dialpad, token, &req->arena, &a->offices, &why) == ERR_OK;
	if (!a->has_offices)
		log_err(LOG_WARN, "oauth.offices_unknown", &why);
}

static enum err_code
fetch_owner(struct http_req *req, struct account *a, struct err *e)
{
	const struct apid *api = req->self;
	struct str token = buf_str(&a->tokens.access);
	enum err_code rc = dialpad_me(api->dialpad, token, &req->arena, &a->user, e);

	if (rc == ERR_OK)
		rc = fetch_company(req, token, a, e);
	if (rc == ERR_OK)
		fetch_offices(req, token, a);
	return rc;
}

enum err_code
account_fetch(
    struct http_req *req, struct str code, struct str verifier, struct account *out, struct err *e)
{
	const struct apid *api = req->self;
	struct dialpad_refusal refusal;
	struct err why;
	enum err_code rc =
	    dialpad_exchange(api->dialpad, code, verifier, &out->tokens, &refusal, &why);

	if (rc != ERR_OK)
		return explain_exchange(rc, &refusal, &why, e);
	compare_scopes(req, out);
	rc = fetch_owner(req, out, &why);
	return rc == ERR_OK ? ERR_OK : explain(rc, &why, e);
}

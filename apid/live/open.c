/* GET /ws: who opens a socket, and by what. */
#include "apid/handlers.h"

#include "apid/access/auth.h"
#include "apid/access/limits.h"
#include "apid/apid.h"
#include "apid/edge/cors.h"
#include "apid/live/access.h"
#include "apid/live/socket.h"

enum { CHECKOUT_MS = 2000 };

static enum err_code
by_query(struct http_req *req, const struct live_caller *who, struct live_pass *pass,
    enum live_verdict *verdict, struct err *e)
{
	const struct apid *api = req->self;
	struct str ticket = http_query(req, "ticket"), token = http_query(req, "token");
	struct db_conn *c;
	enum err_code rc = db_pool_get(api->pool, CHECKOUT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = ticket.p != NULL ? live_by_ticket(c, who, ticket, pass, verdict, e)
			      : live_by_token(c, who, token, pass, verdict, e);
	db_pool_put(api->pool, c);
	return rc;
}

/* As any request with a key, limits included. */
static enum err_code
by_key(struct http_req *req, struct http_res *res, struct str key, struct live_pass *pass,
    struct err *e)
{
	struct str id;
	enum err_code rc = apid_check_key(req, res, key, e);

	if (rc == ERR_OK)
		rc = cors_check_page(req, e);
	if (rc != ERR_OK)
		return rc;
	if (!api_key_parse(key, &id))
		return err_set(e, ERR_INTERNAL, "a good key that is none");
	*pass = (struct live_pass){ .app_id = req->app_id, .kind = LIVE_BY_KEY };
	memcpy(pass->id, id.p, id.n);
	return ERR_OK;
}

/* Who shows nothing is a stranger, for now; unless too many have been wrong at this address. */
static enum err_code
find_pass(struct http_req *req, struct http_res *res, const struct live_caller *who,
    struct live_pass *pass, enum live_verdict *verdict, struct err *e)
{
	struct str key = apid_given_key(req);

	*verdict = LIVE_GOOD;
	if (key.n > 0)
		return by_key(req, res, key, pass, e);
	if (http_query(req, "ticket").p != NULL || http_query(req, "token").p != NULL)
		return by_query(req, who, pass, verdict, e);
	return limits_check_failures(req, res, e);
}

static enum err_code
refuse(struct http_req *req, struct http_res *res, struct str origin, enum live_verdict verdict,
    struct err *e)
{
	enum err_code rc = verdict == LIVE_BAD ? limits_note_failure(req, res, e) : ERR_OK;

	if (rc != ERR_OK)
		return rc;
	if (origin.p != NULL)
		return live_socket_refuse(
		    req, res, verdict == LIVE_BAD ? LIVE_END_UNAUTHORIZED : LIVE_END_FORBIDDEN, e);
	switch (verdict) {
	case LIVE_DISABLED: return err_set(e, ERR_FORBIDDEN, "this app is disabled");
	case LIVE_FOREIGN:
		return err_set(e, ERR_FORBIDDEN, "a live token is for browsers: send an Origin");
	case LIVE_BAD:
	case LIVE_GOOD: break;
	}
	return err_set(e, ERR_UNAUTHORIZED, "the key, ticket or live token is not valid");
}

enum err_code
live_open(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const ALLOWED[] = { "ticket", "token", NULL };
	const struct apid *api = req->self;
	const struct live_house house = { &api->pepper, str_of(api->conf->cors_allowed_origins) };
	const struct live_caller who = { &house, http_header(req, "Origin") };
	struct live_pass pass = { .kind = LIVE_BY_NOTHING };
	enum live_verdict verdict;
	enum err_code rc = http_query_allow(req, ALLOWED, e);

	if (rc == ERR_OK)
		rc = find_pass(req, res, &who, &pass, &verdict, e);
	if (rc != ERR_OK)
		return rc;
	if (verdict != LIVE_GOOD)
		return refuse(req, res, who.origin, verdict, e);
	return live_socket_accept(req, res, api->live, &pass, who.origin, e);
}

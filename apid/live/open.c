/* GET /ws: who opens a socket, and by what. */
#include "apid/handlers.h"

#include "apid/access/auth.h"
#include "apid/apid.h"
#include "apid/live/access.h"
#include "apid/live/socket.h"

enum { CHECKOUT_MS = 2000 };

static enum err_code
find_pass(struct db_conn *c, const struct http_req *req, const struct live_caller *who,
    struct live_pass *pass, enum live_verdict *verdict, struct err *e)
{
	struct str key = apid_given_key(req), ticket = http_query(req, "ticket");

	if (key.n > 0)
		return live_by_key(c, who, key, pass, verdict, e);
	if (ticket.p != NULL)
		return live_by_ticket(c, who, ticket, pass, verdict, e);
	return live_by_token(c, who, http_query(req, "token"), pass, verdict, e);
}

/* Only who shows something needs the database. */
static enum err_code
check_pass(const struct http_req *req, const struct live_caller *who, struct live_pass *pass,
    enum live_verdict *verdict, struct err *e)
{
	const struct apid *api = req->self;
	struct db_conn *c;
	enum err_code rc;

	*verdict = LIVE_GOOD;
	if (apid_given_key(req).n == 0 && http_query(req, "ticket").p == NULL
	    && http_query(req, "token").p == NULL)
		return ERR_OK;
	rc = db_pool_get(api->pool, CHECKOUT_MS, &c, e);
	if (rc != ERR_OK)
		return rc;
	rc = find_pass(c, req, who, pass, verdict, e);
	db_pool_put(api->pool, c);
	return rc;
}

static enum err_code
refuse(struct http_req *req, struct http_res *res, struct str origin, enum live_verdict verdict,
    struct err *e)
{
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
	const struct live_caller who = { str_of(api->conf->api_key_pepper),
		http_header(req, "Origin") };
	struct live_pass pass = { .kind = LIVE_BY_NOTHING };
	enum live_verdict verdict;
	enum err_code rc = http_query_allow(req, ALLOWED, e);

	if (rc == ERR_OK)
		rc = check_pass(req, &who, &pass, &verdict, e);
	if (rc != ERR_OK)
		return rc;
	if (verdict != LIVE_GOOD)
		return refuse(req, res, who.origin, verdict, e);
	return live_socket_accept(req, res, api->live, &pass, who.origin, e);
}

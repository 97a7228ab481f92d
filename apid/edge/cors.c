#include "apid/edge/cors.h"

#include "apid/apid.h"
#include "common/base/origin.h"

/* Of a page's own words, so much is repeated in a message. */
enum { QUOTED_BYTES = 100 };

bool
cors_covers(struct str path)
{
	return str_eq(path, STR("/api")) || str_starts(path, STR("/api/"));
}

static bool
allows_all(const struct http_req *req)
{
	const struct apid *api = req->self;

	return origin_is_listed(str_of(api->conf->cors_allowed_origins), STR("*"));
}

static bool
allows(const struct http_req *req, struct str origin)
{
	const struct apid *api = req->self;

	return allows_all(req) || origin_is_listed(str_of(api->conf->cors_allowed_origins), origin);
}

static enum err_code
refuse(struct str origin, const char *by, struct err *e)
{
	if (origin.n > QUOTED_BYTES)
		origin.n = QUOTED_BYTES;
	return err_set(e, ERR_FORBIDDEN, "pages of the origin %.*s are not allowed by %s",
	    STR_ARG(origin), by);
}

/* No "Vary" where the answer does not depend on the origin. */
void
cors_add_headers(const struct http_req *req, struct http_res *res)
{
	struct str origin = http_header(req, "Origin");

	if (!allows_all(req))
		http_header_add(res, "Vary", STR("Origin"));
	if (origin.n == 0 || !allows(req, origin))
		return;
	http_header_add(res, "Access-Control-Allow-Origin", allows_all(req) ? STR("*") : origin);
	http_header_add(res, "Access-Control-Expose-Headers",
	    STR("X-Request-Id, RateLimit, RateLimit-Policy, Retry-After"));
}

enum err_code
cors_preflight(const struct http_req *req, struct http_res *res, bool *answered, struct err *e)
{
	struct str origin = http_header(req, "Origin");

	*answered = str_eq(req->method, STR("OPTIONS")) && origin.n > 0
	    && http_header(req, "Access-Control-Request-Method").n > 0;
	if (!*answered)
		return ERR_OK;
	if (!allows(req, origin))
		return refuse(origin, "CORS_ALLOWED_ORIGINS", e);
	res->status = 204;
	http_header_add(res, "Access-Control-Allow-Methods", STR("GET, HEAD, POST"));
	http_header_add(res, "Access-Control-Allow-Headers",
	    STR("x-app-api-key, authorization, content-type, x-request-id"));
	http_header_add(res, "Access-Control-Max-Age", STR("7200"));
	return ERR_OK;
}

enum err_code
cors_check_page(const struct http_req *req, struct err *e)
{
	struct str origin = http_header(req, "Origin");

	return origin.n == 0 || allows(req, origin) ? ERR_OK
						    : refuse(origin, "CORS_ALLOWED_ORIGINS", e);
}

enum err_code
cors_check_app(const struct http_req *req, struct str allowed_origins, struct err *e)
{
	struct str origin = http_header(req, "Origin");

	if (origin.n == 0 || allowed_origins.n == 0 || origin_is_listed(allowed_origins, origin))
		return ERR_OK;
	return refuse(origin, "this app's allowed_origins", e);
}

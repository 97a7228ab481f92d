#include "apid/edge/gate.h"

#include "apid/apid.h"
#include "apid/edge/cors.h"

enum { MAX_LOCATION = 20 * 1024 };

/* A platform's own health checks come unencrypted. */
static bool
is_probe(struct str path)
{
	return str_eq(path, STR("/healthz")) || str_eq(path, STR("/readyz"))
	    || str_eq(path, STR("/health"));
}

/* Several proxies may have left their word; the first is about the client. */
static bool
came_unencrypted(const struct http_req *req)
{
	struct str rest, proto = str_cut(http_header(req, "X-Forwarded-Proto"), ',', &rest);

	return str_eq_nocase(str_trim(proto), STR("http"));
}

static void
redirect(const struct http_req *req, struct http_res *res)
{
	AUTO_RELEASE(buf_release) struct buf to = BUF(MAX_LOCATION);
	const struct apid *api = req->self;
	struct str base = str_of(api->conf->public_api_url);

	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	buf_add_str(&to, base);
	buf_add_str(&to, req->path);
	if (req->raw_query.n > 0) {
		buf_add_char(&to, '?');
		buf_add_str(&to, req->raw_query);
	}
	http_header_add(res, "Location", buf_str(&to));
	res->status = 308;
}

/* Only what can be repeated without harm is sent on: the rest has already been read on the way, and
 * whoever sends it should notice. */
static enum err_code
demand_https(const struct http_req *req, struct http_res *res, bool *answered, struct err *e)
{
	const struct apid *api = req->self;

	if (!api->conf->production || is_probe(req->path) || !came_unencrypted(req))
		return ERR_OK;
	if (!str_eq(req->method, STR("GET")) && !str_eq(req->method, STR("HEAD")))
		return err_set(e, ERR_FORBIDDEN, "this request came without encryption: use https");
	redirect(req, res);
	*answered = true;
	return ERR_OK;
}

enum err_code
apid_gate(const struct http_req *req, struct http_res *res, bool *answered, struct err *e)
{
	bool api = cors_covers(req->path);
	enum err_code rc;

	if (api)
		cors_add_headers(req, res);
	rc = demand_https(req, res, answered, e);
	if (rc != ERR_OK || *answered || !api)
		return rc;
	return cors_preflight(req, res, answered, e);
}

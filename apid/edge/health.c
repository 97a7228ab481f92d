#include "apid/handlers.h"

#include "apid/apid.h"
#include "common/base/version.h"

/* What clients and hosting services look at: the process serves. Whether it should be sent
 * requests is /readyz. */
enum err_code
health_get(struct http_req *req, struct http_res *res, struct err *e)
{
	struct json_out j;

	(void)req;
	(void)e;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "status", STR("healthy"));
	jo_kv_str(&j, "service", STR("cti-server"));
	jo_kv_str(&j, "version", str_of(version_text()));
	jo_end_obj(&j);
	return ERR_OK;
}

/* On this port, which is often public, only where that was asked for. */
enum err_code
health_metrics(struct http_req *req, struct http_res *res, struct err *e)
{
	const struct apid *api = req->self;

	if (!api->conf->metrics_public)
		return err_set(e, ERR_NOT_FOUND, "there is nothing under this path");
	return http_ops_metrics(req, res, e);
}

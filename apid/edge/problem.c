#include "apid/edge/problem.h"

#include "apid/access/auth.h"
#include "common/json/json_out.h"

void
problem_unavailable(const struct http_req *req, struct http_res *res, const char *text)
{
	struct json_out j;

	res->status = err_http_status(ERR_UNAVAILABLE);
	res->content_type = "application/problem+json";
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "type", STR("about:blank"));
	jo_kv_str(&j, "title", str_of(err_text(ERR_UNAVAILABLE)));
	jo_kv_i64(&j, "status", res->status);
	jo_kv_str(&j, "detail", str_of(text));
	jo_kv_str(&j, "error", str_of(text));
	jo_kv_str(&j, "request_id", str_of(req->request_id));
	jo_end_obj(&j);
}

void
problem_of_error(const struct http_req *req, const struct err *e, struct http_res *res)
{
	bool admin = req->route != NULL && req->route->auth == HTTP_AUTH_ADMIN;

	if (admin && e->code == ERR_UNAVAILABLE && !apid_has_admins(req)) {
		problem_unavailable(req, res, e->msg);
		return;
	}
	if (e->code == ERR_UNAUTHORIZED)
		http_header_add(res, "WWW-Authenticate", STR("Bearer"));
	http_problem(req, e, res);
}

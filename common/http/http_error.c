#include "common/http/http_server.h"

#include "common/json/json_out.h"

void
http_problem(const struct http_req *req, const struct err *e, struct http_res *res)
{
	int status = err_http_status(e->code);
	struct json_out j;

	res->content_type = "application/problem+json";
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "type", STR("about:blank"));
	jo_kv_str(&j, "title", str_of(err_text(e->code)));
	jo_kv_i64(&j, "status", status);
	/* What went wrong inside is for the log; the request id leads there. */
	if (status < 500)
		jo_kv_str(&j, "detail", str_of(e->msg));
	jo_kv_str(&j, "error", str_of(err_text(e->code)));
	jo_kv_str(&j, "request_id", str_of(req->request_id));
	jo_end_obj(&j);
}

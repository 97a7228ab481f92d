#include "apid/edge/problem.h"

#include "apid/access/auth.h"
#include "apid/edge/html.h"
#include "common/json/json_out.h"

void
problem_write(const struct http_req *req, struct http_res *res, enum err_code code, struct str text)
{
	struct json_out j;

	res->status = err_http_status(code);
	res->content_type = "application/problem+json";
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "type", STR("about:blank"));
	jo_kv_str(&j, "title", str_of(err_text(code)));
	jo_kv_i64(&j, "status", res->status);
	jo_kv_str(&j, "detail", text);
	jo_kv_str(&j, "error", text);
	jo_kv_str(&j, "request_id", str_of(req->request_id));
	jo_end_obj(&j);
}

void
problem_unavailable(const struct http_req *req, struct http_res *res, const char *text)
{
	problem_write(req, res, ERR_UNAVAILABLE, str_of(text));
}

/* Whoever follows a link in a browser gets a page. What happened inside stays in the log. */
static void
write_page(const struct http_req *req, const struct err *e, struct http_res *res)
{
	struct html_page page = { .title = err_text(e->code) };

	html_add(&page,
	    err_http_status(e->code) < 500
		? str_of(e->msg)
		: STR("Something went wrong on this server. Try again in a minute."));
	html_write(req, &page, res);
}

void
problem_of_error(const struct http_req *req, const struct err *e, struct http_res *res)
{
	bool admin = req->route != NULL && req->route->auth == HTTP_AUTH_ADMIN;

	if (admin && e->code == ERR_UNAVAILABLE && !apid_has_admins(req)) {
		problem_unavailable(req, res, e->msg);
		return;
	}
	if (req->route != NULL && req->route->auth == HTTP_AUTH_VISITOR && html_is_wanted(req)) {
		write_page(req, e, res);
		return;
	}
	if (e->code == ERR_UNAUTHORIZED)
		http_header_add(res, "WWW-Authenticate", STR("Bearer"));
	http_problem(req, e, res);
}

#include "apid/oauth/tell.h"

#include "apid/edge/html.h"
#include "apid/edge/problem.h"
#include "common/json/json_out.h"

enum { MAX_TEXT = 2000 };

void
tell_failure(const struct http_req *req, struct http_res *res, enum err_code code,
    const char *title, struct str text)
{
	struct html_page page = { .title = title };

	if (!html_is_wanted(req)) {
		problem_write(req, res, code, text);
		return;
	}
	res->status = err_http_status(code);
	html_add(&page, text);
	html_write(req, &page, res);
}

static void
write_json(struct http_res *res, const struct tell_connected *c)
{
	struct json_out j;

	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "message", STR("Dialpad connected"));
	jo_key(&j, "app_id");
	jo_uuid(&j, c->app_id);
	jo_kv_str(&j, "environment", c->environment);
	jo_kv_str(&j, "company", c->company);
	jo_key(&j, "warnings");
	jo_arr(&j);
	for (int i = 0; i < c->nwarnings; i++)
		jo_str(&j, c->warnings[i]);
	jo_end_arr(&j);
	jo_end_obj(&j);
}

static void
write_page(const struct http_req *req, struct http_res *res, const struct tell_connected *c)
{
	AUTO_RELEASE(buf_release) struct buf what = BUF(MAX_TEXT);
	AUTO_RELEASE(buf_release) struct buf who = BUF(MAX_TEXT);
	struct html_page page = { .title = "Dialpad connected" };

	buf_add_fmt(&what, "%.*s is now connected with %.*s at Dialpad (%.*s).",
	    STR_ARG(c->app_name), STR_ARG(c->company.p == NULL ? STR("your company") : c->company),
	    STR_ARG(c->environment));
	html_add(&page, buf_str(&what));
	if (c->person.p != NULL) {
		buf_add_fmt(&who, "Connected by %.*s.", STR_ARG(c->person));
		html_add(&page, buf_str(&who));
	}
	for (int i = 0; i < c->nwarnings; i++)
		html_add(&page, c->warnings[i]);
	html_add(&page, STR("You can close this window."));
	html_write(req, &page, res);
}

void
tell_success(const struct http_req *req, struct http_res *res, const struct tell_connected *c)
{
	if (html_is_wanted(req))
		write_page(req, res, c);
	else
		write_json(res, c);
}

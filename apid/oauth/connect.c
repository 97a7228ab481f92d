/* GET /auth/dialpad/connect: sends a browser to Dialpad, and remembers it for the way back. */
#include "apid/handlers.h"

#include "apid/apid.h"
#include "apid/oauth/link.h"
#include "apid/oauth/login_db.h"
#include "apid/oauth/setup.h"
#include "common/dialpad/dialpad_oauth.h"

enum { MAX_URL_BYTES = 8192, MAX_RETURN_TO = 2000 };

static enum err_code
read_app_id(const struct http_req *req, struct uuid *out, struct err *e)
{
	struct str text = http_query(req, "app_id");

	if (text.p == NULL)
		return err_set(e, ERR_INVALID, "app_id is missing: the id of the app to connect");
	if (!uuid_parse(text, out))
		return err_set(e, ERR_INVALID, "app_id: \"%.*s\" is no app id",
		    text.n > 60 ? 60 : (int)text.n, text.p);
	return ERR_OK;
}

/* Anybody who knows an app's id could attach an account of their own to it, so that is allowed for a
 * while only. A link is checked even where none is needed: it was meant to say something. */
static enum err_code
check_permission(
    const struct http_req *req, struct uuid app_id, const struct login_app *app, struct err *e)
{
	const struct apid *api = req->self;
	struct str link = http_query(req, "link");

	if (link.p != NULL)
		return link_check(&api->pepper, app_id, link, e);
	if (api->conf->connect_requires_link)
		return err_set(e, ERR_FORBIDDEN,
		    "link is missing: this server connects Dialpad only by a link that an "
		    "administrator makes");
	if (!app->is_open)
		return err_set(e, ERR_FORBIDDEN,
		    "link is missing: this app can no longer be connected by its id alone. Ask an "
		    "administrator of this server for a link");
	return ERR_OK;
}

/* ASCII that is seen, and no fragment. */
static bool
may_stand_in_url(char c)
{
	unsigned char u = (unsigned char)c;

	return u > ' ' && u < 0x7f && u != '#';
}

/* STR_NONE when absent. Whether it is one of the app's is seen later. */
static enum err_code
read_return_to(const struct http_req *req, struct str *out, struct err *e)
{
	struct str url = http_query(req, "return_to");

	for (size_t i = 0; i < url.n; i++)
		if (!may_stand_in_url(url.p[i]))
			return err_set(
			    e, ERR_INVALID, "return_to: a character that must not stand in it");
	if (url.n > MAX_RETURN_TO)
		return err_set(
		    e, ERR_INVALID, "return_to: longer than %d characters", MAX_RETURN_TO);
	*out = url;
	return ERR_OK;
}

static enum err_code
check_return_to(struct str return_to, const struct login_app *app, struct err *e)
{
	if (return_to.p == NULL || app->may_return)
		return ERR_OK;
	return err_set(e, ERR_INVALID, "return_to is none of the app's allowed_return_urls");
}

static enum err_code
send_to_dialpad(struct http_req *req, struct http_res *res, struct uuid app_id,
    struct str return_to, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(MAX_URL_BYTES);
	AUTO_RELEASE(login_wipe) struct login l;
	const struct apid *api = req->self;
	enum err_code rc;

	login_begin(&l);
	rc = login_db_add(req, app_id, &l, return_to, e);
	if (rc != ERR_OK)
		return rc;
	dialpad_authorize_url(api->dialpad, l.state, l.challenge, &url);
	login_cookie_set(res, str_of(l.state), str_of(l.cookie), api->conf->production);
	http_header_add(res, "Location", buf_str(&url));
	res->status = 302;
	return ERR_OK;
}

enum err_code
oauth_connect(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const allowed[] = { "app_id", "return_to", "link", NULL };
	struct str return_to;
	struct login_app app;
	struct uuid app_id;
	enum err_code rc = http_query_allow(req, allowed, e);

	if (rc == ERR_OK)
		rc = read_app_id(req, &app_id, e);
	if (rc == ERR_OK)
		rc = read_return_to(req, &return_to, e);
	if (rc != ERR_OK)
		return rc;
	if (!setup_is_complete(req, res))
		return ERR_OK;
	rc = login_db_app(req, app_id, return_to, &app, e);
	if (rc == ERR_OK)
		rc = check_permission(req, app_id, &app, e);
	if (rc == ERR_OK)
		rc = check_return_to(return_to, &app, e);
	return rc == ERR_OK ? send_to_dialpad(req, res, app_id, return_to, e) : rc;
}

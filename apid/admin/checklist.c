/*
 * GET /internal/apps/{id}/setup: what is done on the way from an app to its first call, what is missing,
 * and the URL or command of the next step.
 */
#include "apid/handlers.h"

#include "apid/admin/checklist_db.h"
#include "apid/apid.h"
#include "apid/edge/columns.h"
#include "apid/edge/request.h"
#include "common/base/clock.h"

enum { MAX_TEXT = 4096 };

struct checklist {
	struct json_out *j;
	const struct conf *conf;
	const struct db_result *r;
	const char *app; /* its id */
	struct str api;  /* PUBLIC_API_URL, without a slash at its end */
	bool complete;
};

static void
put_step(struct checklist *c, const char *step, bool done, struct str detail, struct str next)
{
	jo_obj(c->j);
	jo_kv_str(c->j, "step", str_of(step));
	jo_kv_bool(c->j, "done", done);
	jo_kv_str(c->j, "detail", detail);
	jo_kv_str(c->j, "next", done ? STR_NONE : next);
	jo_end_obj(c->j);
	c->complete = c->complete && done;
}

/* A command for a shell in which CTI_ADMIN is set. */
static void
add_command(const struct checklist *c, const char *path, const char *body, struct buf *out)
{
	buf_add_fmt(out,
	    "curl -X POST -H \"Authorization: Bearer $CTI_ADMIN\" -d '%s' "
	    "%.*s/internal/apps/%s%s",
	    body, STR_ARG(c->api), c->app, path);
}

static void
put_command(struct checklist *c, const char *step, bool done, struct str detail, const char *path)
{
	AUTO_RELEASE(buf_release) struct buf next = BUF(MAX_TEXT);

	add_command(c, path, "{}", &next);
	put_step(c, step, done, detail, buf_str(&next));
}

static void
put_client(struct checklist *c)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_TEXT);
	const struct conf_dialpad *d = &c->conf->dialpad;
	bool done = d->client_id[0] != '\0' && c->conf->token_key[0] != '\0'
	    && c->conf->master_key[0] != '\0';

	buf_add_fmt(&text, "environment %s, redirect URI %s, scopes %s", c->conf->dialpad_env,
	    d->redirect_uri[0] == '\0' ? "not set" : d->redirect_uri, d->scopes);
	put_step(c, "server", done, buf_str(&text),
	    STR("have Dialpad approve your app with this redirect URI and these scopes, then set its "
		"client id, client secret and redirect URI, TOKEN_ENCRYPTION_KEY and "
		"WEBHOOK_MASTER_KEY: docs/dialpad-setup.md"));
}

/* Its tokens and its company are of no use at the other environment. */
static bool
is_elsewhere(const struct checklist *c)
{
	return !db_null(c->r, 0, CHECK_ENVIRONMENT)
	    && !str_eq(db_str(c->r, 0, CHECK_ENVIRONMENT), str_of(c->conf->dialpad_env));
}

static void
put_elsewhere(struct checklist *c)
{
	AUTO_RELEASE(buf_release) struct buf detail = BUF(MAX_TEXT);
	AUTO_RELEASE(buf_release) struct buf next = BUF(MAX_TEXT);

	buf_add_fmt(&detail, "it was made at Dialpad's %.*s, and this server uses %s",
	    STR_ARG(db_str(c->r, 0, CHECK_ENVIRONMENT)), c->conf->dialpad_env);
	add_command(c, "/disconnect", "{\"forget_company\": true}", &next);
	buf_add_c(&next, ", then connect anew");
	put_step(c, "connection", false, buf_str(&detail), buf_str(&next));
}

static void
put_not_connected(struct checklist *c, struct str state)
{
	AUTO_RELEASE(buf_release) struct buf next = BUF(MAX_TEXT);
	struct str reason = db_str(c->r, 0, CHECK_REASON);

	buf_add_fmt(&next, "an admin of the Dialpad company opens the URL that this prints: ");
	add_command(c, "/connect-link", "{}", &next);
	put_step(c, "connection", false,
	    reason.n > 0          ? reason
		: state.p == NULL ? STR("never connected")
				  : state,
	    buf_str(&next));
}

static void
put_connection(struct checklist *c)
{
	struct str state = db_str(c->r, 0, CHECK_CONNECTION);

	if (!str_eq(state, STR("connected")))
		put_not_connected(c, state);
	else if (is_elsewhere(c))
		put_elsewhere(c);
	else
		put_step(c, "connection", true, db_str(c->r, 0, CHECK_COMPANY), STR_NONE);
}

static void
put_scopes(struct checklist *c)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_TEXT);
	bool connected = str_eq(db_str(c->r, 0, CHECK_CONNECTION), STR("connected"));
	struct str missing = db_str(c->r, 0, CHECK_SCOPES);

	if (!connected)
		buf_add_c(&text, "known once Dialpad is connected");
	else if (missing.n > 0)
		buf_add_fmt(&text, "not granted: %.*s", STR_ARG(missing));
	put_step(c, "scopes", connected && missing.n == 0, text.n > 0 ? buf_str(&text) : STR_NONE,
	    STR("have Dialpad approve these scopes for your app, put them into DIALPAD_SCOPES, and "
		"connect again"));
}

static void
put_events(struct checklist *c)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_TEXT);
	char at[CLOCK_RFC3339_BYTES];
	bool done = !db_null(c->r, 0, CHECK_LAST_EVENT);

	if (done)
		buf_add_fmt(&text, "the last one came at %s",
		    clock_format_rfc3339(db_time(c->r, 0, CHECK_LAST_EVENT), at));
	else
		buf_add_c(&text, "none came in the last seven days");
	put_step(c, "events", done, buf_str(&text),
	    STR("place a call at Dialpad; if it does not show up, see Troubleshooting in "
		"docs/dialpad-setup.md"));
}

static void
put_steps(struct checklist *c)
{
	put_step(c, "app", db_bool(c->r, 0, CHECK_IS_ACTIVE),
	    db_bool(c->r, 0, CHECK_IS_ACTIVE) ? STR_NONE : STR("the app is disabled"),
	    STR("PATCH the app with {\"is_active\": true}"));
	put_command(c, "api_key", db_i64(c->r, 0, CHECK_KEYS) > 0, STR_NONE, "/api-key");
	put_client(c);
	put_connection(c);
	put_scopes(c);
	put_command(c, "webhook", db_bool(c->r, 0, CHECK_HOOK_OK),
	    db_str(c->r, 0, CHECK_HOOK_ERROR), "/webhook");
	put_events(c);
}

enum err_code
setup_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	const struct conf *conf = ((const struct apid *)req->self)->conf;
	char app[UUID_TEXT_BYTES];
	struct uuid app_id;
	struct json_out j;
	struct checklist c = { &j, conf, &r, app, str_of(conf->public_api_url), true };
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = checklist_db_get(req, app_id, &r, e);
	if (rc != ERR_OK)
		return rc;
	(void)uuid_format(app_id, app);
	while (c.api.n > 0 && c.api.p[c.api.n - 1] == '/')
		c.api.n--;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "app_id", str_of(app));
	jo_key(&j, "steps");
	jo_arr(&j);
	put_steps(&c);
	jo_end_arr(&j);
	jo_kv_bool(&j, "complete", c.complete);
	column_json(&j, "alarms", &r, 0, CHECK_ALARMS, STR("[]"));
	jo_kv_bool(&j, "alarms_are_sent", conf->alert_url[0] != '\0');
	jo_end_obj(&j);
	return ERR_OK;
}

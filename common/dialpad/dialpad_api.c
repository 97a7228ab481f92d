#include "common/dialpad/dialpad_api.h"

#include "common/base/clock.h"
#include "common/base/metric.h"
#include "common/https/https.h"

#include <stdio.h>

enum {
	TIMEOUT_MS = 8000,
	PAUSE_MS = 500, /* after a 429 that does not say how long */
	MAX_URL_BYTES = 8192,
	MAX_ANSWER_BYTES = 8 * 1024 * 1024,
	QUOTED_CHARS = 120, /* of what Dialpad says about a failure */
	LABEL_BYTES = 80,
};

struct dialpad_api {
	const struct conf_dialpad *client;
	struct https *https;
};

static struct metric calls_total = METRIC_COUNTER("cti_dialpad_calls_total",
    "Requests to Dialpad, by endpoint and result: the status, or what went wrong without one.",
    "call,result");
static struct metric call_seconds =
    METRIC_SECONDS("cti_dialpad_call_seconds", "Time of one request to Dialpad.", "call");

enum err_code
dialpad_api_new(const struct conf *c, struct dialpad_api **out, struct err *e)
{
	struct dialpad_api *api = calloc(1, sizeof *api);
	struct https_opts o = {
		.user_agent = "cti-server",
		.ca_file = c->https_ca_file,
		.allow_loopback = !c->production,
	};
	struct err why;

	if (api == NULL)
		abort();
	api->client = &c->dialpad;
	if (https_new(&o, &api->https, &why) != ERR_OK) {
		free(api);
		return err_set(e, why.code, "HTTPS_CA_FILE: %s", why.msg);
	}
	if (https_check_url(api->https, c->dialpad.base_url, &why) != ERR_OK) {
		dialpad_api_free(api);
		return err_set(e, ERR_INVALID, "%s: %s", c->dialpad.base_url_name, why.msg);
	}
	*out = api;
	return ERR_OK;
}

void
dialpad_api_free(struct dialpad_api *api)
{
	if (api == NULL)
		return;
	https_free(api->https);
	free(api);
}

void
dialpad_api_abort(struct dialpad_api *api)
{
	https_abort(api->https);
}

const struct conf_dialpad *
dialpad_client(const struct dialpad_api *api)
{
	return api->client;
}

void
dialpad_answer_release(struct dialpad_answer *a)
{
	arena_wipe(&a->owned);
	a->json = NULL;
}

void
dialpad_path_add(struct buf *path, const char *name, struct str value)
{
	bool has_query = memchr(buf_str(path).p, '?', path->n) != NULL;

	buf_add_fmt(path, "%c%s=", has_query ? '&' : '?', name);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		    || c == '-' || c == '.' || c == '_' || c == '~')
			buf_add_char(path, (char)c);
		else
			buf_add_fmt(path, "%%%02X", c);
	}
}

enum err_code
dialpad_incomplete(const struct dialpad_call *call, const char *what, struct err *e)
{
	return err_set(e, ERR_UPSTREAM, "Dialpad, %s: the answer has no %s", call->name, what);
}

/* ---- failures ---- */

static enum err_code
class_of(int status)
{
	switch (status) {
	case 401: return ERR_UNAUTHORIZED;
	case 403: return ERR_FORBIDDEN;
	case 404: return ERR_NOT_FOUND;
	case 408: return ERR_UNAVAILABLE;
	case 409: return ERR_CONFLICT;
	case 429: return ERR_RATE_LIMITED;
	default: break;
	}
	return status >= 500 ? ERR_UNAVAILABLE : status >= 400 ? ERR_INVALID : ERR_UPSTREAM;
}

/* "invalid_grant" and its like; anything else is not repeated. */
static bool
is_error_code(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_' && (s.p[i] < 'a' || s.p[i] > 'z'))
			return false;
	return s.n > 0 && s.n < DIALPAD_ERROR_BYTES;
}

/* Dialpad's errors come in several forms: {"error": "…"}, {"error": {"message": "…"}} and others. */
static struct str
message_of(const struct json *doc)
{
	const struct json *error = json_get(doc, "error");
	struct str text = STR_NONE;

	if (error != NULL && json_is_obj(error))
		(void)json_get_str(error, "message", &text);
	else if (!json_get_str(doc, "error_description", &text)
	    && !json_get_str(doc, "message", &text))
		(void)json_get_str(doc, "error", &text);
	return text.n > QUOTED_CHARS ? (struct str){ text.p, QUOTED_CHARS } : text;
}

static enum err_code
refusal(const struct dialpad_call *call, struct str body, struct dialpad_answer *a, struct err *e)
{
	const struct json *doc = NULL;
	bool is_quotable = !call->is_secret && a->status != 401; /* that is about the token */
	struct str code = STR_NONE, text = STR_NONE;
	struct err ignored;

	if (json_parse_in(&a->owned, body, &doc, &ignored) == ERR_OK && json_is_obj(doc)) {
		if (json_get_str(doc, "error", &code) && is_error_code(code))
			memcpy(a->error, code.p, code.n);
		text = is_quotable ? message_of(doc) : str_of(a->error);
	}
	return err_set(e, class_of(a->status), "Dialpad, %s: answered %d%s%.*s", call->name,
	    a->status, text.n > 0 ? ": " : "", STR_ARG(text));
}

/* ---- one call ---- */

static enum err_code
read_answer(const struct dialpad_call *call, const struct https_answer *from,
    struct dialpad_answer *a, struct err *e)
{
	struct str body = buf_str(&from->body);
	struct err why;

	a->status = from->status;
	a->retry_after_ms = from->retry_after_ms;
	if (a->status < 200 || a->status > 299)
		return refusal(call, body, a, e);
	if (str_trim(body).n > 0 && json_parse_in(&a->owned, body, &a->json, &why) != ERR_OK)
		return err_set(e, ERR_UPSTREAM, "Dialpad, %s: the answer is not JSON", call->name);
	return ERR_OK;
}

static enum err_code
exchange(struct dialpad_api *api, const struct dialpad_call *call, struct dialpad_answer *a,
    struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(MAX_URL_BYTES);
	AUTO_RELEASE(https_answer_release) struct https_answer answer = { .status = 0 };
	struct https_req r = {
		.method = call->method,
		.bearer = call->token,
		.headers = { { "Accept", STR("application/json") } },
		.nheaders = 1,
		.body = call->body,
		.body_type = "application/json",
		.timeout_ms = TIMEOUT_MS,
		.max_answer_bytes = MAX_ANSWER_BYTES,
		.unabortable = call->unabortable,
	};
	struct err why;
	enum err_code rc;

	buf_add_c(&url, api->client->base_url);
	buf_add_c(&url, call->path);
	if (url.failed)
		return err_set(e, ERR_INVALID, "Dialpad, %s: the URL is too long", call->name);
	r.url = buf_c(&url);
	rc = https_send(api->https, &r, &answer, &why);
	if (rc == ERR_TOO_LARGE)
		rc = ERR_UPSTREAM;
	if (rc != ERR_OK)
		return err_set(e, rc, "Dialpad, %s: %s", call->name, why.msg);
	return read_answer(call, &answer, a, e);
}

static void
count(const struct dialpad_call *call, const struct dialpad_answer *a, enum err_code rc,
    int64_t took_us)
{
	char label[LABEL_BYTES];

	if (a->status > 0)
		(void)snprintf(label, sizeof label, "%s|%d", call->name, a->status);
	else
		(void)snprintf(label, sizeof label, "%s|%s", call->name, err_name(rc));
	metric_add(&calls_total, label, 1);
	metric_observe_us(&call_seconds, call->name, took_us);
}

static enum err_code
call_once(struct dialpad_api *api, const struct dialpad_call *call, struct dialpad_answer *out,
    struct err *e)
{
	int64_t begun_us = clock_mono_us();
	enum err_code rc;

	*out = (struct dialpad_answer){ .status = 0 };
	arena_init(&out->owned);
	rc = exchange(api, call, out, e);
	count(call, out, rc, clock_mono_us() - begun_us);
	return rc;
}

enum err_code
dialpad_call(struct dialpad_api *api, const struct dialpad_call *call, struct dialpad_answer *out,
    struct err *e)
{
	int64_t until_ms = clock_mono_ms() + call->patience_ms;
	int64_t pause_ms;
	enum err_code rc;

	for (;;) {
		rc = call_once(api, call, out, e);
		pause_ms = out->retry_after_ms > 0 ? out->retry_after_ms : PAUSE_MS;
		if (rc != ERR_RATE_LIMITED || clock_mono_ms() + pause_ms > until_ms)
			return rc;
		dialpad_answer_release(out);
		clock_sleep_ms(pause_ms);
	}
}

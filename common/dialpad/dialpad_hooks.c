#include "common/dialpad/dialpad_hooks.h"

#include "common/dialpad/dialpad_list.h"
#include "common/json/json_out.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

/* A handful of requests may hit the limit of requests per second. */
enum { MAX_BODY = 8192, MAX_PATH = 80, PATIENCE_MS = 3000 };

/* Every state that brings something into a record. Without those of supervisors (admin,
 * eavesdrop, ai_playbook), which concern other legs or nobody. */
static const char *const STATES[] = { "calling", "ringing", "preanswer", "queued", "connected",
	"hold", "parked", "merged", "monitor", "barge", "takeover", "hangup", "missed", "voicemail",
	"voicemail_uploaded", "blocked", "recording", "admin_recording", "transcription",
	"call_transcription", "csat", "pcsat", "dispositions", "postcall", "recap_summary",
	"recap_outcome", "recap_purposes", "recap_action_items" };
enum { NSTATES = sizeof STATES / sizeof STATES[0] };

/* How the endpoints of a kind are called in metrics and errors. */
static const struct names {
	const char *kind, *path, *list, *create, *update, *delete;
} NAMES[] = {
	{ "call", "/api/v2/subscriptions/call", "call_subscriptions.list",
	    "call_subscriptions.create", "call_subscriptions.update", "call_subscriptions.delete" },
	{ "sms", "/api/v2/subscriptions/sms", "sms_subscriptions.list", "sms_subscriptions.create",
	    "sms_subscriptions.update", "sms_subscriptions.delete" },
};

const char *
dialpad_sub_name(enum dialpad_sub_kind kind)
{
	return NAMES[kind].kind;
}

/* ---- lists ---- */

struct found {
	struct arena *a;
	enum dialpad_sub_kind kind;
	struct dialpad_webhook *hooks;
	struct dialpad_sub *subs;
	int n;
};

static enum err_code
too_many(struct err *e)
{
	return err_set(
	    e, ERR_UPSTREAM, "Dialpad lists more than %d of one kind", DIALPAD_MAX_HOOKS);
}

static struct str
text(const struct json *v, const char *key, struct arena *a)
{
	struct str s = STR_NONE;

	return json_get_str(v, key, &s) ? arena_dup(a, s) : STR_NONE;
}

static enum err_code
add_webhook(const struct json *item, void *arg, struct err *e)
{
	struct found *f = arg;
	struct dialpad_webhook *hook;
	const struct json *signature = json_get(item, "signature");

	if (f->n == DIALPAD_MAX_HOOKS)
		return too_many(e);
	hook = &f->hooks[f->n];
	if (!json_get_i64(item, "id", &hook->id))
		return err_set(e, ERR_UPSTREAM, "Dialpad lists a webhook without an id");
	hook->url = text(item, "hook_url", f->a);
	hook->secret = signature == NULL ? STR_NONE : text(signature, "secret", f->a);
	f->n++;
	return ERR_OK;
}

enum err_code
dialpad_webhooks_list(struct dialpad_api *api, struct str token, struct arena *a,
    struct dialpad_webhook **out, int *n, struct err *e)
{
	struct found f = { .a = a,
		.hooks = arena_new(a, struct dialpad_webhook, DIALPAD_MAX_HOOKS) };
	const struct dialpad_list list = { "webhooks.list", "/api/v2/webhooks?limit=50", token,
		PATIENCE_MS, add_webhook, &f };
	enum err_code rc = dialpad_list_each(api, &list, e);

	if (rc == ERR_OK) {
		*out = f.hooks;
		*n = f.n;
	}
	return rc;
}

/* Not told is what Dialpad assumes without a word. */
static bool
flag(const struct json *v, const char *key, bool otherwise)
{
	bool value;

	return json_get_bool(v, key, &value) ? value : otherwise;
}

static bool
has_state(const struct json *list, const char *name)
{
	struct str s;

	for (const struct json *i = json_first(list); i != NULL; i = json_next(i))
		if (json_to_str(i, &s) && (str_eq(s, str_of(name)) || str_eq(s, STR("all"))))
			return true;
	return false;
}

static bool
tells_all_calls(const struct json *item)
{
	const struct json *states = json_get(item, "call_states");

	if (flag(item, "group_calls_only", false) || states == NULL || !json_is_arr(states))
		return false;
	for (int i = 0; i < NSTATES; i++)
		if (!has_state(states, STATES[i]))
			return false;
	return true;
}

static bool
tells_all_texts(const struct json *item)
{
	struct str direction = STR_NONE;

	return json_get_str(item, "direction", &direction) && str_eq(direction, STR("all"))
	    && flag(item, "status", false) && flag(item, "include_internal", false);
}

static enum err_code
add_sub(const struct json *item, void *arg, struct err *e)
{
	struct found *f = arg;
	struct dialpad_sub *sub;
	const struct json *webhook = json_get(item, "webhook");
	int64_t target;

	if (f->n == DIALPAD_MAX_HOOKS)
		return too_many(e);
	sub = &f->subs[f->n];
	sub->kind = f->kind;
	if (!json_get_i64(item, "id", &sub->id))
		return err_set(e, ERR_UPSTREAM, "Dialpad lists a subscription without an id");
	if (webhook != NULL)
		(void)json_get_i64(webhook, "id", &sub->webhook_id);
	sub->is_whole = !json_get_i64(item, "target_id", &target);
	sub->is_complete = flag(item, "enabled", true)
	    && (f->kind == DIALPAD_SUB_CALL ? tells_all_calls(item) : tells_all_texts(item));
	f->n++;
	return ERR_OK;
}

enum err_code
dialpad_subs_list(struct dialpad_api *api, struct str token, enum dialpad_sub_kind kind,
    struct arena *a, struct dialpad_sub **out, int *n, struct err *e)
{
	struct found f = {
		.a = a, .kind = kind, .subs = arena_new(a, struct dialpad_sub, DIALPAD_MAX_HOOKS)
	};
	char path[MAX_PATH];
	const struct dialpad_list list = { NAMES[kind].list, path, token, PATIENCE_MS, add_sub,
		&f };
	enum err_code rc;

	(void)snprintf(path, sizeof path, "%s?limit=50", NAMES[kind].path);
	rc = dialpad_list_each(api, &list, e);
	if (rc == ERR_OK) {
		*out = f.subs;
		*n = f.n;
	}
	return rc;
}

/* ---- making and changing ---- */

/* "/api/v2/webhooks", with "/<id>" for one that exists. */
static void
path_of(const char *base, int64_t id, char out[MAX_PATH])
{
	if (id == 0)
		(void)snprintf(out, MAX_PATH, "%s", base);
	else
		(void)snprintf(out, MAX_PATH, "%s/%" PRId64, base, id);
}

/* Creates without an id, changes with one; the answer's id is filled in. */
static enum err_code
put(struct dialpad_api *api, const struct dialpad_call *what, const char *base, int64_t *id,
    struct err *e)
{
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer answer = { .status = 0 };
	struct dialpad_call call = *what;
	char path[MAX_PATH];
	int64_t got;
	enum err_code rc;

	path_of(base, *id, path);
	call.patience_ms = PATIENCE_MS;
	call.path = path;
	call.method = *id == 0 ? "POST" : "PATCH";
	rc = dialpad_call(api, &call, &answer, e);
	if (rc != ERR_OK)
		return rc;
	if (!json_get_i64(answer.json, "id", &got))
		return dialpad_incomplete(&call, "id", e);
	*id = got;
	return ERR_OK;
}

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

enum err_code
dialpad_webhooks_put(
    struct dialpad_api *api, struct str token, struct dialpad_webhook *hook, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf body = BUF(MAX_BODY);
	struct dialpad_call call = {
		.name = hook->id == 0 ? "webhooks.create" : "webhooks.update",
		.token = token,
		.is_secret = true,
	};
	struct json_out j;

	jo_init(&j, &body);
	jo_obj(&j);
	jo_kv_str(&j, "hook_url", hook->url);
	jo_kv_str(&j, "secret", hook->secret);
	jo_end_obj(&j);
	call.body = buf_str(&body);
	return put(api, &call, "/api/v2/webhooks", &hook->id, e);
}

static void
put_wishes(struct json_out *j, const struct dialpad_sub *sub)
{
	jo_kv_i64(j, "endpoint_id", sub->webhook_id);
	jo_kv_bool(j, "enabled", true);
	if (sub->kind == DIALPAD_SUB_SMS) {
		jo_kv_str(j, "direction", STR("all"));
		jo_kv_bool(j, "include_internal", true);
		jo_kv_bool(j, "status", true);
		return;
	}
	jo_kv_bool(j, "group_calls_only", false);
	jo_key(j, "call_states");
	jo_arr(j);
	for (int i = 0; i < NSTATES; i++)
		jo_str(j, str_of(STATES[i]));
	jo_end_arr(j);
}

enum err_code
dialpad_subs_put(struct dialpad_api *api, struct str token, struct dialpad_sub *sub, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf body = BUF(MAX_BODY);
	const struct names *names = &NAMES[sub->kind];
	struct dialpad_call call = {
		.name = sub->id == 0 ? names->create : names->update,
		.token = token,
	};
	struct json_out j;
	enum err_code rc;

	jo_init(&j, &body);
	jo_obj(&j);
	put_wishes(&j, sub);
	jo_end_obj(&j);
	call.body = buf_str(&body);
	rc = put(api, &call, names->path, &sub->id, e);
	if (rc == ERR_OK)
		sub->is_complete = sub->is_whole = true;
	return rc;
}

/* ---- removing ---- */

static enum err_code delete (struct dialpad_api *api, struct str token, const char *name,
    const char *base, int64_t id, struct err *e) {
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer answer = { .status = 0 };
	char path[MAX_PATH];
	const struct dialpad_call call = { .name = name,
	    .method = "DELETE",
	    .path = path,
	    .token = token };
	enum err_code rc;

	path_of(base, id, path);
	rc = dialpad_call(api, &call, &answer, e);
	return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

enum err_code
dialpad_webhooks_delete(struct dialpad_api *api, struct str token, int64_t id, struct err *e)
{
	return delete (api, token, "webhooks.delete", "/api/v2/webhooks", id, e);
}

enum err_code
dialpad_subs_delete(struct dialpad_api *api, struct str token, enum dialpad_sub_kind kind,
    int64_t id, struct err *e)
{
	return delete (api, token, NAMES[kind].delete, NAMES[kind].path, id, e);
}

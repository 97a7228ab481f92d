#include "common/dialpad/dialpad_oauth.h"

#include "common/json/json_out.h"

enum { MAX_BODY_BYTES = 64 * 1024 };

/* Longer than any token lives; keeps the sum with an instant within range. */
static const int64_t MAX_EXPIRES_S = (int64_t)10 * 365 * 86400;

void
dialpad_tokens_init(struct dialpad_tokens *t)
{
	*t = (struct dialpad_tokens){
		.access = BUF(DIALPAD_MAX_TOKEN_BYTES),
		.refresh = BUF(DIALPAD_MAX_TOKEN_BYTES),
		.scope = BUF(DIALPAD_MAX_SCOPE_BYTES),
	};
}

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

void
dialpad_tokens_release(struct dialpad_tokens *t)
{
	wipe_and_release(&t->access);
	wipe_and_release(&t->refresh);
	buf_release(&t->scope);
}

void
dialpad_authorize_url(
    const struct dialpad_api *api, const char *state, const char *challenge, struct buf *out)
{
	const struct conf_dialpad *client = dialpad_client(api);

	buf_add_c(out, client->base_url);
	buf_add_c(out, "/oauth2/authorize");
	dialpad_path_add(out, "response_type", STR("code"));
	dialpad_path_add(out, "client_id", str_of(client->client_id));
	dialpad_path_add(out, "redirect_uri", str_of(client->redirect_uri));
	dialpad_path_add(out, "scope", str_of(client->scopes));
	dialpad_path_add(out, "state", str_of(state));
	dialpad_path_add(out, "code_challenge", str_of(challenge));
	dialpad_path_add(out, "code_challenge_method", STR("S256"));
}

/* ---- the token endpoint ---- */

/* What may stand in an Authorization header. */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= DIALPAD_MAX_TOKEN_BYTES;
}

static enum err_code
read_tokens(const struct dialpad_call *call, const struct json *doc, struct dialpad_tokens *t,
    struct err *e)
{
	struct str access = STR_NONE, refresh = STR_NONE, scope = STR_NONE;
	int64_t expires_in_s = 0;

	if (!json_get_str(doc, "access_token", &access) || !is_token(access))
		return dialpad_incomplete(call, "access_token", e);
	if (json_get_str(doc, "refresh_token", &refresh) && refresh.n > 0 && !is_token(refresh))
		return dialpad_incomplete(call, "refresh_token that could be used", e);
	(void)json_get_str(doc, "scope", &scope);
	(void)json_get_i64(doc, "expires_in", &expires_in_s);
	buf_add_str(&t->access, access);
	buf_add_str(&t->refresh, refresh);
	buf_add_str(&t->scope, scope);
	t->expires_in_s = expires_in_s < 0 ? 0
	    : expires_in_s > MAX_EXPIRES_S ? MAX_EXPIRES_S
					   : expires_in_s;
	return ERR_OK;
}

static void
begin_grant(const struct dialpad_api *api, const char *type, struct json_out *j, struct buf *body)
{
	const struct conf_dialpad *client = dialpad_client(api);

	jo_init(j, body);
	jo_obj(j);
	jo_kv_str(j, "grant_type", str_of(type));
	jo_kv_str(j, "client_id", str_of(client->client_id));
	jo_kv_str(j, "client_secret", str_of(client->client_secret));
}

static enum err_code
redeem(struct dialpad_api *api, struct dialpad_call *call, struct buf *body,
    struct dialpad_tokens *t, struct dialpad_refusal *why, struct err *e)
{
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer a = { .status = 0 };
	enum err_code rc;

	call->method = "POST";
	call->path = "/oauth2/token";
	call->is_secret = true;
	call->unabortable = true;
	call->body = buf_str(body);
	rc = dialpad_call(api, call, &a, e);
	buf_wipe(body);
	why->status = a.status;
	memcpy(why->error, a.error, sizeof why->error);
	return rc == ERR_OK ? read_tokens(call, a.json, t, e) : rc;
}

enum err_code
dialpad_exchange(struct dialpad_api *api, struct str code, struct str verifier,
    struct dialpad_tokens *t, struct dialpad_refusal *why, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf body = BUF(MAX_BODY_BYTES);
	struct dialpad_call call = { .name = "oauth2.token.exchange" };
	struct json_out j;

	begin_grant(api, "authorization_code", &j, &body);
	jo_kv_str(&j, "code", code);
	jo_kv_str(&j, "code_verifier", verifier);
	jo_kv_str(&j, "redirect_uri", str_of(dialpad_client(api)->redirect_uri));
	jo_end_obj(&j);
	return redeem(api, &call, &body, t, why, e);
}

enum err_code
dialpad_refresh(struct dialpad_api *api, struct str refresh_token, struct dialpad_tokens *t,
    struct dialpad_refusal *why, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf body = BUF(MAX_BODY_BYTES);
	struct dialpad_call call = { .name = "oauth2.token.refresh" };
	struct json_out j;

	begin_grant(api, "refresh_token", &j, &body);
	jo_kv_str(&j, "refresh_token", refresh_token);
	jo_end_obj(&j);
	return redeem(api, &call, &body, t, why, e);
}

enum err_code
dialpad_deauthorize(struct dialpad_api *api, struct str access_token, struct err *e)
{
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer a = { .status = 0 };
	const struct dialpad_call call = {
		.name = "oauth2.deauthorize",
		.method = "POST",
		.path = "/oauth2/deauthorize",
		.token = access_token,
		.is_secret = true,
	};

	return dialpad_call(api, &call, &a, e);
}

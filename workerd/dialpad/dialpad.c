#include "workerd/dialpad/dialpad.h"

#include "common/dialpad/dialpad_oauth.h"

enum err_code
dialpad_start(struct dialpad *d, const struct conf *c, const struct db_opts *db, struct err *e)
{
	dp_token_declare_metrics();
	seal_keys_init(&d->keys, str_of(c->token_key), str_of(c->token_key_previous));
	d->tokens = (struct dp_tokens){
		.keys = &d->keys,
		.environment = c->dialpad_env,
		.db = *db,
	};
	if (dialpad_api_new(c, &d->api, e) != ERR_OK)
		return e->code;
	d->tokens.api = d->api;
	return ERR_OK;
}

void
dialpad_abort(struct dialpad *d)
{
	if (d->api != NULL)
		dialpad_api_abort(d->api);
}

void
dialpad_stop(struct dialpad *d)
{
	dialpad_api_free(d->api);
	d->api = NULL;
	seal_keys_wipe(&d->keys);
}

bool
dialpad_is_set(const struct dialpad *d)
{
	return d->keys.n > 0 && dialpad_client(d->api)->client_id[0] != '\0';
}

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

/* *refused: Dialpad did not take the token, and has been taken at its word. */
static enum err_code
try_token(struct dialpad *d, struct db_conn *c, struct uuid app_id, dialpad_fn fn, void *arg,
    bool *refused, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf token = BUF(DIALPAD_MAX_TOKEN_BYTES);
	struct err why;
	enum err_code rc = dp_token_get(&d->tokens, c, app_id, &token, e);

	*refused = false;
	if (rc != ERR_OK)
		return rc;
	rc = fn(buf_str(&token), arg, &why);
	if (rc == ERR_OK)
		return ERR_OK;
	if (rc == ERR_UNAUTHORIZED) {
		rc = dp_token_refused(&d->tokens, c, app_id, buf_str(&token), e);
		*refused = true;
		if (rc != ERR_OK)
			return rc;
	}
	if (why.code == ERR_CONFLICT || why.code == ERR_INVALID)
		why.code = ERR_UPSTREAM;
	*e = why;
	return e->code;
}

enum err_code
dialpad_with_token(struct dialpad *d, struct db_conn *c, struct uuid app_id, dialpad_fn fn,
    void *arg, struct err *e)
{
	bool refused;
	enum err_code rc = try_token(d, c, app_id, fn, arg, &refused, e);

	if (rc == ERR_UNAUTHORIZED && refused)
		rc = try_token(d, c, app_id, fn, arg, &refused, e);
	return rc;
}

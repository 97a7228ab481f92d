#include "workerd/dialpad/dialpad.h"

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

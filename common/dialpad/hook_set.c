#include "common/dialpad/hook_set.h"

#include "common/base/log.h"

#include <inttypes.h>

enum { MAX_PREFIX = 2200 };

void
hook_set_prefix(const struct hook_owner *o, struct buf *out)
{
	struct str base = o->base_url;
	char app[UUID_TEXT_BYTES];

	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	buf_add_fmt(out, "%.*s/webhooks/dialpad/%s/", STR_ARG(base), uuid_format(o->app_id, app));
}

static bool
is_mine(const struct hook_owner *o, struct str prefix, const struct dialpad_webhook *hook)
{
	return str_starts(hook->url, prefix) || (o->webhook_id != 0 && hook->id == o->webhook_id);
}

static bool
leads_to_mine(const struct hook_set *s, const struct hook_owner *o, const struct dialpad_sub *sub)
{
	if (o->sub_id[sub->kind] != 0 && sub->id == o->sub_id[sub->kind])
		return true;
	for (int i = 0; i < s->nhooks; i++)
		if (sub->webhook_id == s->hooks[i].id)
			return true;
	return false;
}

static void
keep_my_hooks(struct hook_set *s, const struct hook_owner *o)
{
	AUTO_RELEASE(buf_release) struct buf prefix = BUF(MAX_PREFIX);
	int n = 0;

	hook_set_prefix(o, &prefix);
	for (int i = 0; i < s->nhooks; i++)
		if (is_mine(o, buf_str(&prefix), &s->hooks[i]))
			s->hooks[n++] = s->hooks[i];
	s->nhooks = n;
}

static void
keep_my_subs(struct hook_set *s, const struct hook_owner *o, enum dialpad_sub_kind kind)
{
	int n = 0;

	for (int i = 0; i < s->nsubs[kind]; i++)
		if (leads_to_mine(s, o, &s->subs[kind][i]))
			s->subs[kind][n++] = s->subs[kind][i];
	s->nsubs[kind] = n;
}

enum err_code
hook_set_load(struct dialpad_api *api, struct str token, const struct hook_owner *o,
    struct arena *a, struct hook_set *out, struct err *e)
{
	struct hook_set s;
	enum err_code rc = dialpad_webhooks_list(api, token, a, &s.hooks, &s.nhooks, e);

	for (int kind = 0; rc == ERR_OK && kind < DIALPAD_SUB_KINDS; kind++)
		rc = dialpad_subs_list(
		    api, token, (enum dialpad_sub_kind)kind, a, &s.subs[kind], &s.nsubs[kind], e);
	if (rc != ERR_OK)
		return rc;
	keep_my_hooks(&s, o);
	for (int kind = 0; kind < DIALPAD_SUB_KINDS; kind++)
		keep_my_subs(&s, o, (enum dialpad_sub_kind)kind);
	*out = s;
	return ERR_OK;
}

static enum err_code
trim_subs(struct dialpad_api *api, struct str token, const struct dialpad_sub *subs, int n,
    int64_t keep, int *removed, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (int i = 0; i < n && rc == ERR_OK; i++) {
		if (subs[i].id == keep)
			continue;
		rc = dialpad_subs_delete(api, token, subs[i].kind, subs[i].id, e);
		if (rc == ERR_OK) {
			(*removed)++;
			log_info("webhook.subscription_removed", "kind=%s id=%" PRId64,
			    dialpad_sub_name(subs[i].kind), subs[i].id);
		}
	}
	return rc;
}

enum err_code
hook_set_trim(struct dialpad_api *api, struct str token, const struct hook_set *s,
    const struct hook_keep *keep, int *removed, struct err *e)
{
	enum err_code rc = ERR_OK;

	*removed = 0;
	for (int kind = 0; rc == ERR_OK && kind < DIALPAD_SUB_KINDS; kind++)
		rc = trim_subs(
		    api, token, s->subs[kind], s->nsubs[kind], keep->sub_id[kind], removed, e);
	for (int i = 0; i < s->nhooks && rc == ERR_OK; i++) {
		if (s->hooks[i].id == keep->webhook_id)
			continue;
		rc = dialpad_webhooks_delete(api, token, s->hooks[i].id, e);
		if (rc == ERR_OK) {
			(*removed)++;
			log_info("webhook.removed", "id=%" PRId64, s->hooks[i].id);
		}
	}
	return rc;
}

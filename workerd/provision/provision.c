/*
 * One app's webhook and subscriptions at Dialpad, made as they should be.
 *
 * What Dialpad has is listed first, each time, and told apart by our hook's URL; so it does not matter
 * where an earlier run ended, whether its answers were lost, or what somebody changed meanwhile. A
 * run that changed something is followed by another soon: a request of a killed workerd may have
 * reached Dialpad after the list was read.
 *
 * A hook is changed by repointing its webhook, in one request, URL and secret: no event is lost or
 * comes twice. A subscription whose token had other scopes is replaced: the new one is made, and
 * remembered, before the old one goes.
 */
#include "workerd/jobs/request.h"

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/dialpad/hook.h"
#include "common/dialpad/hook_lock.h"
#include "common/dialpad/hook_set.h"
#include "common/json/json_out.h"
#include "workerd/dialpad/dialpad.h"
#include "workerd/provision/provision_db.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

enum {
	VERIFY_MS = 60 * 1000,
	CHECK_MS = 6 * 3600 * 1000,
	MAX_DRIFT = 2048,
	MAX_URL = 2200,
};

static struct metric drift_total = METRIC_COUNTER("cti_webhook_drift_total",
    "Differences from what should be at Dialpad, found and put right.", NULL);

struct provision {
	struct db_conn *conn;
	struct dialpad_api *api;
	struct str token;
	struct uuid app_id;
	struct provision_row row;
	struct hook_owner owner;
	struct dialpad_webhook want; /* the webhook as it should be; its id once it is known */
	struct arena arena;          /* holds secrets */
	struct json_out drift;       /* an array of sentences */
	struct buf drift_text;
	int changes;
};

static void
note(struct provision *p, const char *what)
{
	jo_str(&p->drift, str_of(what));
	p->changes++;
	metric_add(&drift_total, NULL, 1);
	log_info("webhook.put_right", "%s", what);
}

static enum err_code
remember(struct provision *p, struct str drift, struct err *e)
{
	return provision_db_save(p->conn, p->app_id, &p->row, p->want.url, drift, e);
}

/* ---- the webhook ---- */

/* The one that stays: it leads to the newest hook, else it is the one that we remember, else any. */
static const struct dialpad_webhook *
choose_webhook(const struct provision *p, const struct hook_set *s)
{
	const struct dialpad_webhook *best = NULL;

	for (int i = 0; i < s->nhooks; i++) {
		if (str_eq(s->hooks[i].url, p->want.url))
			return &s->hooks[i];
		if (best == NULL || s->hooks[i].id == p->row.webhook_id)
			best = &s->hooks[i];
	}
	return best;
}

static enum err_code
ensure_webhook(struct provision *p, const struct hook_set *s, struct err *e)
{
	const struct dialpad_webhook *have = choose_webhook(p, s);
	bool right = false;
	enum err_code rc;

	if (have == NULL) {
		note(p, "there was no webhook");
	} else if (!str_eq(have->url, p->want.url)) {
		note(p, "the webhook led to another URL");
	} else if (!str_eq(have->secret, p->want.secret)) {
		note(p, "the webhook had another secret");
	} else {
		right = true;
	}
	p->want.id = have == NULL ? 0 : have->id;
	if (!right) {
		rc = dialpad_webhooks_put(p->api, p->token, &p->want, e);
		if (rc != ERR_OK)
			return rc;
	}
	if (p->row.webhook_id == p->want.id)
		return ERR_OK;
	p->row.webhook_id = p->want.id;
	return remember(p, STR_NONE, e);
}

/* ---- its subscriptions ---- */

/* Greater is better; 0: cannot stay. */
static int
worth(const struct provision *p, const struct dialpad_sub *sub)
{
	bool remembered = sub->id == p->row.sub[sub->kind].id;

	if (!sub->is_whole || (remembered && p->row.sub[sub->kind].is_old))
		return 0;
	return 1 + (sub->webhook_id == p->want.id) + 2 * sub->is_complete + 4 * remembered;
}

static const struct dialpad_sub *
choose_sub(const struct provision *p, const struct hook_set *s, enum dialpad_sub_kind kind)
{
	const struct dialpad_sub *best = NULL;

	for (int i = 0; i < s->nsubs[kind]; i++) {
		int w = worth(p, &s->subs[kind][i]);

		if (w > 0 && (best == NULL || w > worth(p, best)))
			best = &s->subs[kind][i];
	}
	return best;
}

static void
note_sub(struct provision *p, enum dialpad_sub_kind kind, const char *what)
{
	char text[80];

	(void)snprintf(text, sizeof text, "the %s subscription %s", dialpad_sub_name(kind), what);
	note(p, text);
}

static enum err_code
ensure_sub(struct provision *p, const struct hook_set *s, enum dialpad_sub_kind kind, struct err *e)
{
	const struct dialpad_sub *have = choose_sub(p, s, kind);
	struct dialpad_sub sub = { .kind = kind, .webhook_id = p->want.id };
	bool right = have != NULL && have->is_complete && have->webhook_id == p->want.id;
	enum err_code rc;

	if (have != NULL) {
		sub.id = have->id;
		if (!right)
			note_sub(p, kind, "was another");
	} else {
		note_sub(p, kind,
		    p->row.sub[kind].is_old ? "had a token of other scopes" : "was missing");
	}
	if (!right) {
		rc = dialpad_subs_put(p->api, p->token, &sub, e);
		if (rc != ERR_OK)
			return rc;
	}
	if (sub.id == p->row.sub[kind].id && !p->row.sub[kind].is_old)
		return ERR_OK;
	p->row.sub[kind].id = sub.id;
	p->row.sub[kind].is_old = false;
	return remember(p, STR_NONE, e);
}

/* ---- one reconciliation ---- */

static enum err_code
trim(struct provision *p, const struct hook_set *s, struct err *e)
{
	struct hook_keep keep = { .webhook_id = p->want.id };
	char text[64];
	int removed;
	enum err_code rc;

	for (int kind = 0; kind < DIALPAD_SUB_KINDS; kind++)
		keep.sub_id[kind] = p->row.sub[kind].id;
	rc = hook_set_trim(p->api, p->token, s, &keep, &removed, e);
	if (removed > 0) {
		(void)snprintf(text, sizeof text, "%d leftovers of ours were removed", removed);
		note(p, text);
	}
	return rc;
}

static enum err_code
reconcile(struct str token, void *arg, struct err *e)
{
	struct provision *p = arg;
	struct hook_set s;
	enum err_code rc;

	p->token = token;
	buf_clear(&p->drift_text);
	jo_init(&p->drift, &p->drift_text);
	jo_arr(&p->drift);
	rc = hook_set_load(p->api, token, &p->owner, &p->arena, &s, e);
	if (rc == ERR_OK)
		rc = ensure_webhook(p, &s, e);
	for (int kind = 0; rc == ERR_OK && kind < DIALPAD_SUB_KINDS; kind++)
		rc = ensure_sub(p, &s, (enum dialpad_sub_kind)kind, e);
	if (rc == ERR_OK)
		rc = trim(p, &s, e);
	jo_end_arr(&p->drift);
	if (rc == ERR_OK)
		rc = provision_db_retire(p->conn, p->app_id, p->row.hook, e);
	return rc == ERR_OK ? remember(p, buf_str(&p->drift_text), e) : rc;
}

/* A first hook, or the next one when the master key is another. */
static enum err_code
ensure_hook(struct provision *p, const struct conf *conf, struct err *e)
{
	struct str master_key = str_of(conf->master_key);
	char fingerprint[HOOK_FINGERPRINT_BYTES], secret[HOOK_SECRET_BYTES], number[12];
	AUTO_RELEASE(buf_release) struct buf url = BUF(MAX_URL);
	struct str now;

	hook_fingerprint(master_key, fingerprint);
	now = arena_dup(&p->arena, str_of(fingerprint));
	if (p->row.hook == 0 || !str_eq(p->row.key_fingerprint, now)) {
		enum err_code rc = provision_db_next_hook(p->conn, p->app_id, now, &p->row, e);

		if (rc != ERR_OK)
			return rc;
	}
	hook_secret(master_key, (struct hook){ p->app_id, p->row.hook }, secret);
	hook_set_prefix(&p->owner, &url);
	(void)snprintf(number, sizeof number, "%" PRId32, p->row.hook);
	buf_add_c(&url, number);
	p->want.url = arena_dup(&p->arena, buf_str(&url));
	p->want.secret = arena_dup(&p->arena, str_of(secret));
	sodium_memzero(secret, sizeof secret);
	return ERR_OK;
}

static enum err_code
check_settings(struct job_run *r, struct err *e)
{
	const struct conf *conf = r->opts->conf;

	if (!dialpad_is_set(r->opts->dialpad))
		return err_set(e, ERR_UNAVAILABLE, "workerd lacks %s or TOKEN_ENCRYPTION_KEY",
		    conf->dialpad.client_id_name);
	if (conf->master_key[0] == '\0')
		return err_set(e, ERR_UNAVAILABLE, "workerd lacks WEBHOOK_MASTER_KEY");
	if (conf->public_ingest_url[0] == '\0')
		return err_set(e, ERR_UNAVAILABLE,
		    "workerd lacks PUBLIC_INGEST_URL: the URL under which Dialpad reaches ingestd");
	return ERR_OK;
}

static void
set_owner(struct provision *p, const struct conf *conf)
{
	p->owner = (struct hook_owner){
		.app_id = p->app_id,
		.base_url = str_of(conf->public_ingest_url),
		.webhook_id = p->row.webhook_id,
	};
	for (int kind = 0; kind < DIALPAD_SUB_KINDS; kind++)
		p->owner.sub_id[kind] = p->row.sub[kind].id;
}

static enum err_code
provision(struct job_run *r, struct provision *p, struct err *e)
{
	enum err_code rc;

	set_owner(p, r->opts->conf);
	rc = ensure_hook(p, r->opts->conf, e);
	return rc == ERR_OK
	    ? dialpad_with_token(r->opts->dialpad, r->conn, p->app_id, reconcile, p, e)
	    : rc;
}

/* Shown with the hook. A connection that has ended says so itself. */
static void
note_failure(const struct provision *p, const struct err *why)
{
	struct err ignored;

	if (why->code != ERR_CONFLICT
	    && provision_db_note_failure(p->conn, p->app_id, why->msg, &ignored) != ERR_OK)
		log_err(LOG_DEBUG, "webhook.failure_not_noted", &ignored);
}

static void
report(const struct provision *p, struct request_end *end)
{
	struct json_out j;

	jo_init(&j, &end->result);
	jo_obj(&j);
	jo_kv_i64(&j, "hook", p->row.hook);
	jo_kv_i64(&j, "changes", p->changes);
	jo_end_obj(&j);
	end->again_ms = p->changes > 0 ? VERIFY_MS : CHECK_MS;
	if (p->changes > 0)
		log_info("webhook.provisioned", "hook=%d changes=%d", p->row.hook, p->changes);
}

static enum err_code
load_and_provision(struct job_run *r, struct provision *p, struct request_end *end, struct err *e)
{
	enum err_code rc = provision_db_load(r->conn, p->app_id, &p->arena, &p->row, e);

	if (rc == ERR_NOT_FOUND)
		return ERR_OK; /* nothing is left to do */
	if (rc != ERR_OK)
		return rc;
	rc = provision(r, p, e);
	if (rc == ERR_OK)
		report(p, end);
	else
		note_failure(p, e);
	return rc;
}

enum err_code
request_provision(
    struct job_run *r, const struct request *q, struct request_end *end, struct err *e)
{
	struct provision p = {
		.conn = r->conn,
		.api = r->opts->dialpad->api,
		.app_id = q->app_id,
		.drift_text = BUF(MAX_DRIFT),
	};
	bool mine = false;
	enum err_code rc = check_settings(r, e);

	if (rc == ERR_OK)
		rc = hook_lock_try(r->conn, q->app_id, &mine, e);
	if (rc != ERR_OK)
		return rc;
	if (!mine)
		return err_set(e, ERR_UNAVAILABLE, "another process is changing the webhook");
	arena_init(&p.arena);
	rc = load_and_provision(r, &p, end, e);
	hook_lock_release(r->conn, q->app_id);
	buf_release(&p.drift_text);
	arena_wipe(&p.arena);
	return rc;
}

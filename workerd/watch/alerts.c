#include "workerd/watch/alerts.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/hmac.h"
#include "common/json/json_copy.h"
#include "workerd/jobs/request.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

enum {
	MAX_KEY = 4096,
	MAX_SIGNATURE = 128,
	MAX_SIGNED = REQUEST_MAX_JSON + 256,
	TIMEOUT_MS = 8000,
	MAX_ANSWER = 64 * 1024,
};

enum err_code
alerts_start(struct alerts *a, const struct conf *c, struct err *e)
{
	const struct https_opts o = {
		.user_agent = "cti-server",
		.ca_file = c->https_ca_file,
		.allow_loopback = !c->production,
	};
	struct err why;

	*a = (struct alerts){ .url = c->alert_url, .key = BUF(MAX_KEY) };
	if (c->alert_url[0] == '\0')
		return ERR_OK;
	alerts_key(str_of(c->alert_secret), &a->key);
	if (https_new(&o, &a->https, e) != ERR_OK)
		return e->code;
	if (https_check_url(a->https, c->alert_url, &why) != ERR_OK) {
		alerts_stop(a);
		return err_set(e, ERR_INVALID, "ALERT_WEBHOOK_URL: %s", why.msg);
	}
	return ERR_OK;
}

void
alerts_abort(struct alerts *a)
{
	if (a->https != NULL)
		https_abort(a->https);
}

void
alerts_stop(struct alerts *a)
{
	https_free(a->https);
	a->https = NULL;
	buf_wipe(&a->key);
	buf_release(&a->key);
}

/* ---- signing ---- */

void
alerts_key(struct str secret, struct buf *out)
{
	static const struct str PREFIX = { "whsec_", 6 };
	size_t n;
	char *room;

	buf_clear(out);
	if (str_starts(secret, PREFIX)) {
		struct str coded = { secret.p + PREFIX.n, secret.n - PREFIX.n };

		room = buf_grow(out, coded.n);
		if (room != NULL
		    && sodium_base642bin((unsigned char *)room, coded.n, coded.p, coded.n, NULL, &n,
			   NULL, sodium_base64_VARIANT_ORIGINAL)
			== 0
		    && n > 0) {
			out->n = n;
			return;
		}
		buf_clear(out);
	}
	buf_add_str(out, secret);
}

void
alerts_sign(struct str key, struct str id, struct str timestamp, struct str body, struct buf *out)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_SIGNED);
	unsigned char mac[HMAC_BYTES];
	char coded[sodium_base64_ENCODED_LEN(HMAC_BYTES, sodium_base64_VARIANT_ORIGINAL)];

	buf_add_str(&text, id);
	buf_add_char(&text, '.');
	buf_add_str(&text, timestamp);
	buf_add_char(&text, '.');
	buf_add_str(&text, body);
	hmac_sha256(key, buf_str(&text), mac);
	(void)sodium_bin2base64(
	    coded, sizeof coded, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
	buf_add_c(out, "v1,");
	buf_add_c(out, coded);
}

/* ---- sending ---- */

static enum err_code
post(const struct alerts *a, struct str id, struct str body, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf signature = BUF(MAX_SIGNATURE);
	AUTO_RELEASE(https_answer_release) struct https_answer answer = { .status = 0 };
	char timestamp[24];
	struct https_req r = {
		.method = "POST",
		.url = a->url,
		.body = body,
		.body_type = "application/json",
		.timeout_ms = TIMEOUT_MS,
		.max_answer_bytes = MAX_ANSWER,
		.nheaders = 3,
	};

	(void)snprintf(timestamp, sizeof timestamp, "%" PRId64, clock_wall_ms() / 1000);
	alerts_sign(buf_str(&a->key), id, str_of(timestamp), body, &signature);
	r.headers[0] = (struct https_header){ "webhook-id", id };
	r.headers[1] = (struct https_header){ "webhook-timestamp", str_of(timestamp) };
	r.headers[2] = (struct https_header){ "webhook-signature", buf_str(&signature) };
	if (https_send(a->https, &r, &answer, e) != ERR_OK)
		return err_set(e, ERR_UNAVAILABLE, "ALERT_WEBHOOK_URL: %s", e->msg);
	if (answer.status < 200 || answer.status > 299)
		return err_set(e, ERR_UNAVAILABLE, "ALERT_WEBHOOK_URL answered %d", answer.status);
	return ERR_OK;
}

/* The row's params are {"id", "type", "timestamp", "data"}; the id travels in a header. */
static enum err_code
send_alert(const struct alerts *a, const struct json *params, struct err *e)
{
	static const char *const TOLD[] = { "type", "timestamp", "data" };
	AUTO_RELEASE(buf_release) struct buf body = BUF(REQUEST_MAX_JSON);
	struct str id = STR_NONE;
	struct json_out j;

	if (!json_get_str(params, "id", &id))
		return err_set(e, ERR_INVALID, "the alert has no id");
	jo_init(&j, &body);
	jo_obj(&j);
	for (size_t i = 0; i < sizeof TOLD / sizeof TOLD[0]; i++) {
		const struct json *v = json_get(params, TOLD[i]);

		jo_key(&j, TOLD[i]);
		if (v == NULL)
			jo_null(&j);
		else
			json_copy(v, &j);
	}
	jo_end_obj(&j);
	return post(a, id, buf_str(&body), e);
}

enum err_code
request_alert(struct job_run *r, const struct request *q, struct request_end *end, struct err *e)
{
	AUTO(json) struct json *params = NULL;
	enum err_code rc;

	end->again_ms = REQUEST_NEVER;
	if (r->opts->alerts->https == NULL)
		return ERR_OK; /* the log has it */
	rc = json_parse(q->params, &params, e);
	return rc == ERR_OK ? send_alert(r->opts->alerts, params, e) : rc;
}

#include "ingestd/secrets.h"

#include "common/base/metric.h"
#include "common/crypto/jws.h"

#include <sodium.h>

static struct metric verified_total = METRIC_COUNTER("cti_ingest_verified_total",
    "Webhooks with a right signature, by the secret that matched.", "secret");

void
secrets_init(struct secrets *s, const struct conf *c)
{
	*s = (struct secrets){
		.master = { str_of(c->master_key), str_of(c->master_key_previous) },
		.bare = { str_of(c->webhook_secret), str_of(c->webhook_secret_previous) },
	};
	metric_declare(&verified_total, "hook_current");
	metric_declare(&verified_total, "hook_previous");
	metric_declare(&verified_total, "bare_current");
	metric_declare(&verified_total, "bare_previous");
}

/* The configured keys among two. */
static int
configured(const struct str from[2], struct str to[2], const char *names[2], const char *current,
    const char *previous)
{
	int n = 0;

	for (int i = 0; i < 2; i++)
		if (from[i].n > 0) {
			names[n] = i == 0 ? current : previous;
			to[n++] = from[i];
		}
	return n;
}

enum err_code
secrets_verify(const struct secrets *s, const struct hook *hook, struct str token,
    struct buf *claims, struct err *e)
{
	char derived[2][HOOK_SECRET_BYTES];
	const char *names[2];
	struct str keys[2];
	int which, n;
	enum err_code rc;

	n = hook == NULL ? configured(s->bare, keys, names, "bare_current", "bare_previous")
			 : configured(s->master, keys, names, "hook_current", "hook_previous");
	if (n == 0)
		return err_set(e, ERR_UNAVAILABLE, "%s is not set",
		    hook == NULL ? "DIALPAD_WEBHOOK_SECRET" : "WEBHOOK_MASTER_KEY");
	for (int i = 0; hook != NULL && i < n; i++) {
		hook_secret(keys[i], *hook, derived[i]);
		keys[i] = str_of(derived[i]);
	}
	rc = jws_verify(token, keys, n, &which, claims, e);
	sodium_memzero(derived, sizeof derived);
	if (rc == ERR_OK)
		metric_add(&verified_total, names[which], 1);
	return rc;
}

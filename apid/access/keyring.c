#include "apid/access/keyring.h"

#include "apid/access/keyring_db.h"
#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/log.h"
#include "common/base/metric.h"

enum {
	/* 200 bytes each, once they are all in use. */
	MOST_KEYS = 128 * 1024,
	CHECKOUT_MS = 2000,
	STAMP_MS = 60000,
	STAMP_CHUNK = 500,
};

static struct metric LOOKUPS = METRIC_COUNTER("cti_key_lookups_total",
    "API keys looked up in the database, because they were not known or not for sure.", NULL);

struct keyring {
	struct db_pool *pool;        /* borrowed */
	const struct pepper *pepper; /* borrowed */
	struct key_cache *cache;
	pthread_t stamper;
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stopping; /* under the lock */
};

/* ---- last uses ---- */

static enum err_code
write_uses(struct keyring *k, const struct key_use *uses, int n, struct err *e)
{
	struct db_conn *c;
	enum err_code rc = db_pool_get(k->pool, CHECKOUT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = keyring_db_stamp(c, uses, n, e);
	db_pool_put(k->pool, c);
	return rc;
}

/* What cannot be written is written with the next ones. */
static void
stamp(struct keyring *k)
{
	struct key_use uses[STAMP_CHUNK];
	struct err e;
	int n, place = 0;

	while ((n = key_cache_take_used(k->cache, &place, uses, STAMP_CHUNK)) > 0) {
		if (write_uses(k, uses, n, &e) == ERR_OK)
			continue;
		log_err(LOG_WARN, "keys.last_used", &e);
		for (int i = 0; i < n; i++)
			key_cache_mark_used(k->cache, str_of(uses[i].key_id), uses[i].at_ms);
		return;
	}
}

static bool
wait_for_stamping(struct keyring *k)
{
	int64_t until_ms = clock_mono_ms() + STAMP_MS;
	bool stopping;

	(void)pthread_mutex_lock(&k->lock);
	while (!k->stopping) {
		if (!cond_wait_until(&k->stopped, &k->lock, until_ms))
			break;
	}
	stopping = k->stopping;
	(void)pthread_mutex_unlock(&k->lock);
	return !stopping;
}

static void *
run_stamper(void *arg)
{
	struct keyring *k = arg;

	while (wait_for_stamping(k))
		stamp(k);
	stamp(k);
	return NULL;
}

/* ---- life ---- */

static void
keyring_free(struct keyring *k)
{
	key_cache_free(k->cache);
	(void)pthread_cond_destroy(&k->stopped);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
}

enum err_code
keyring_start(
    struct db_pool *pool, const struct pepper *pepper, struct keyring **out, struct err *e)
{
	struct keyring *k = calloc(1, sizeof *k);

	if (k == NULL)
		abort();
	metric_declare(&LOOKUPS, NULL);
	k->pool = pool;
	k->pepper = pepper;
	k->cache = key_cache_new(MOST_KEYS);
	(void)pthread_mutex_init(&k->lock, NULL);
	cond_init(&k->stopped);
	if (pthread_create(&k->stamper, NULL, run_stamper, k) != 0) {
		keyring_free(k);
		return err_set(
		    e, ERR_UNAVAILABLE, "cannot start the thread that notes the use of keys");
	}
	*out = k;
	return ERR_OK;
}

void
keyring_stop(struct keyring *k)
{
	if (k == NULL)
		return;
	(void)pthread_mutex_lock(&k->lock);
	k->stopping = true;
	(void)pthread_cond_signal(&k->stopped);
	(void)pthread_mutex_unlock(&k->lock);
	(void)pthread_join(k->stamper, NULL);
	keyring_free(k);
}

void
keyring_forget(void *keyring)
{
	struct keyring *k = keyring;

	key_cache_forget(k->cache);
}

/* ---- finding ---- */

/* Keys that were revoked or have expired are remembered, too; ids that no key has are not. */
static enum err_code
ask(struct keyring *k, struct str key_id, struct arena *a, struct key_facts *out, bool *found,
    struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	uint64_t epoch = key_cache_epoch(k->cache);
	int64_t asked_ms;
	struct db_conn *c;
	enum err_code rc = db_pool_get(k->pool, CHECKOUT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	metric_add(&LOOKUPS, NULL, 1);
	asked_ms = clock_mono_ms();
	rc = keyring_db_read(c, key_id, asked_ms, &r, out, found, e);
	db_pool_put(k->pool, c);
	if (rc != ERR_OK || !*found)
		return rc;
	key_cache_put(k->cache, key_id, out, epoch, asked_ms);
	out->allowed_origins = arena_dup(a, out->allowed_origins);
	return ERR_OK;
}

/* Whoever sends the whole text of a key that was once read here is not guessing, and it costs the
 * database no more than any other use of that key to say whether it is still good. */
static bool
was_right(const struct keyring *k, struct str key_id, struct str text)
{
	unsigned char hash[HMAC_BYTES];

	return key_cache_recall(k->cache, key_id, hash) && pepper_fits(k->pepper, text, hash);
}

static enum key_verdict
judge(const struct keyring *k, struct str text, const struct key_facts *f)
{
	if (!pepper_fits(k->pepper, text, f->hash))
		return KEY_BAD;
	if (!f->is_live || clock_mono_ms() >= f->expires_ms)
		return KEY_BAD;
	return f->is_active ? KEY_GOOD : KEY_DISABLED;
}

enum err_code
keyring_find(struct keyring *k, struct str text, bool may_ask, struct arena *a,
    struct key_holder *out, enum key_verdict *verdict, struct err *e)
{
	struct key_facts f;
	struct str key_id;
	bool found;
	enum err_code rc = ERR_OK;

	*verdict = KEY_BAD;
	if (!api_key_parse(text, &key_id))
		return ERR_OK;
	found = key_cache_get(k->cache, key_id, clock_mono_ms(), a, &f);
	if (!found && !may_ask && !was_right(k, key_id, text)) {
		*verdict = KEY_UNASKED;
		return ERR_OK;
	}
	if (!found)
		rc = ask(k, key_id, a, &f, &found, e);
	if (rc != ERR_OK || !found)
		return rc;
	*verdict = judge(k, text, &f);
	if (*verdict != KEY_GOOD)
		return ERR_OK;
	key_cache_mark_used(k->cache, key_id, clock_wall_ms());
	*out = (struct key_holder){ f.app_id, key_id, f.allowed_origins };
	return ERR_OK;
}

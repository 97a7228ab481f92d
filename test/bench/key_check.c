/*
 * How long the check of a client's key takes, in a process that knows 10 keys and in one that knows
 * 100 000: parse the text, find the key, hash the text, compare, note the use. With KEY_CHECK_URL also
 * what it costs to ask the database, once for each of KEY_CHECK_ASKS keys named k000000000 and so on.
 */
#include "apid/access/keyring.h"
#include "apid/access/keyring_db.h"
#include "common/base/clock.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEW = 10, MANY = 100000, CHECKS = 500000, ROUNDS = 5, KEY_TEXT = API_KEY_BYTES };

static const char PEPPER[] = "0123456789abcdef0123456789abcdef";

struct keys {
	struct key_cache *cache;
	char (*texts)[KEY_TEXT];
	int n;
};

static void
fill(struct keys *k, int n)
{
	struct str id;

	*k = (struct keys){ key_cache_new(2 * MANY), calloc((size_t)n, KEY_TEXT), n };
	if (k->texts == NULL)
		abort();
	for (int i = 0; i < n; i++) {
		struct key_facts f = {
			.is_live = true, .is_active = true, .expires_ms = INT64_MAX
		};

		api_key_make(false, k->texts[i]);
		api_key_hash(str_of(PEPPER), str_of(k->texts[i]), f.hash);
		if (!api_key_parse(str_of(k->texts[i]), &id))
			abort();
		key_cache_put(k->cache, id, &f, 0, 0);
	}
}

static void
empty(struct keys *k)
{
	key_cache_free(k->cache);
	free(k->texts);
}

/* As keyring_find() does it for a key that it knows. */
static bool
check(struct keys *k, const char *key, struct arena *a)
{
	unsigned char hash[HMAC_BYTES];
	struct str id, text = str_of(key);
	struct key_facts f;

	if (!api_key_parse(text, &id) || !key_cache_get(k->cache, id, 0, a, &f))
		return false;
	api_key_hash(str_of(PEPPER), text, hash);
	if (sodium_memcmp(hash, f.hash, HMAC_BYTES) != 0)
		return false;
	key_cache_mark_used(k->cache, id, clock_wall_ms());
	return true;
}

static double
microseconds_each(struct keys *k)
{
	struct arena a;
	int64_t begun_us = clock_mono_us();

	arena_init(&a);
	for (int i = 0; i < CHECKS; i++) {
		if (!check(k, k->texts[(uint32_t)i * 2654435761u % (uint32_t)k->n], &a))
			abort();
	}
	arena_release(&a);
	return (double)(clock_mono_us() - begun_us) / CHECKS;
}

/* In turns, because the machine's speed changes; the best round is the least disturbed one. */
static void
compare(void)
{
	struct keys few, many;
	double best_few = 1e9, best_many = 1e9, us;

	fill(&few, FEW);
	fill(&many, MANY);
	for (int i = 0; i < ROUNDS; i++) {
		us = microseconds_each(&few);
		best_few = us < best_few ? us : best_few;
		us = microseconds_each(&many);
		best_many = us < best_many ? us : best_many;
	}
	(void)printf("known here, of %6d keys: %6.2f us\n", FEW, best_few);
	(void)printf("known here, of %6d keys: %6.2f us, %.2f times that\n", MANY, best_many,
	    best_many / best_few);
	empty(&few);
	empty(&many);
}

static int
ask(const char *url, int n)
{
	struct db_opts o = { .url = url, .app_name = "key_check", .timeout_ms = 5000 };
	struct db_conn *c;
	struct key_facts f;
	struct err e;
	bool found = true;
	int64_t begun_us;

	if (db_connect(&o, &c, &e) != ERR_OK)
		return fprintf(stderr, "%s\n", e.msg), 1;
	begun_us = clock_mono_us();
	for (int i = 0; i < n && found; i++) {
		AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
		char id[16];

		(void)snprintf(id, sizeof id, "k%09d", i);
		if (keyring_db_read(c, str_of(id), 0, &r, &f, &found, &e) != ERR_OK)
			return fprintf(stderr, "%s\n", e.msg), 1;
	}
	(void)printf(
	    "asked of the database:     %6.2f us\n", (double)(clock_mono_us() - begun_us) / n);
	db_close(c);
	return found ? 0 : 1;
}

int
main(void)
{
	const char *url = getenv("KEY_CHECK_URL"), *asks = getenv("KEY_CHECK_ASKS");

	if (sodium_init() < 0)
		return 1;
	if (url != NULL && asks != NULL)
		return ask(url, (int)strtol(asks, NULL, 10));
	compare();
	return 0;
}

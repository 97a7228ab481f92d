#include "apid/access/key_cache.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>

enum { FIRST_ROOM = 64, NOBODY = -1 };

struct entry {
	char key_id[API_KEY_ID_MAX_CHARS + 1];
	struct key_facts facts;
	char *origins; /* what facts.allowed_origins points to; NULL when there are none */
	uint64_t epoch;
	int64_t asked_ms;
	int64_t used_ms; /* the last use that nobody has taken out yet; 0: none */
	int next;        /* in its chain */
};

struct key_cache {
	pthread_mutex_t lock;
	unsigned char key[crypto_shorthash_KEYBYTES];
	uint64_t epoch;
	struct entry *entries;
	int n, room, most;
	int oldest;  /* the next to make room, once there are `most` */
	int *chains; /* by hash: the first entry, or NOBODY */
	uint32_t nchains;
};

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

struct key_cache *
key_cache_new(int most_keys)
{
	struct key_cache *c = must(calloc(1, sizeof *c));

	(void)pthread_mutex_init(&c->lock, NULL);
	crypto_shorthash_keygen(c->key);
	c->most = most_keys;
	return c;
}

void
key_cache_free(struct key_cache *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < c->n; i++)
		free(c->entries[i].origins);
	free(c->entries);
	free(c->chains);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- finding; all with the lock held ---- */

static int *
chain_of(const struct key_cache *c, struct str key_id)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t number;

	(void)crypto_shorthash(hash, (const unsigned char *)key_id.p, key_id.n, c->key);
	memcpy(&number, hash, sizeof number);
	assert(c->nchains > 0);
	return &c->chains[number % c->nchains];
}

static struct entry *
find(const struct key_cache *c, struct str key_id)
{
	if (c->n == 0)
		return NULL;
	for (int i = *chain_of(c, key_id); i != NOBODY; i = c->entries[i].next) {
		if (str_eq(str_of(c->entries[i].key_id), key_id))
			return &c->entries[i];
	}
	return NULL;
}

static void
link_entry(struct key_cache *c, int i)
{
	int *chain = chain_of(c, str_of(c->entries[i].key_id));

	c->entries[i].next = *chain;
	*chain = i;
}

static void
unlink_entry(struct key_cache *c, int i)
{
	int *at = chain_of(c, str_of(c->entries[i].key_id));

	while (*at != i)
		at = &c->entries[*at].next;
	*at = c->entries[i].next;
}

/* Twice the room, and a chain for each place in it. */
static void
grow(struct key_cache *c)
{
	c->room = c->room == 0 ? FIRST_ROOM : c->room * 2;
	if (c->room > c->most)
		c->room = c->most;
	c->entries = must(reallocarray(c->entries, (size_t)c->room, sizeof *c->entries));
	free(c->chains);
	c->nchains = (uint32_t)c->room;
	c->chains = must(reallocarray(NULL, c->nchains, sizeof *c->chains));
	for (uint32_t i = 0; i < c->nchains; i++)
		c->chains[i] = NOBODY;
	for (int i = 0; i < c->n; i++)
		link_entry(c, i);
}

static struct entry *
add(struct key_cache *c, struct str key_id)
{
	int i;

	if (c->n == c->room && c->n < c->most)
		grow(c);
	if (c->n < c->most) {
		i = c->n++;
	} else {
		i = c->oldest;
		c->oldest = (i + 1) % c->most;
		unlink_entry(c, i);
		free(c->entries[i].origins);
	}
	c->entries[i] = (struct entry){ .next = NOBODY };
	memcpy(c->entries[i].key_id, key_id.p, key_id.n);
	link_entry(c, i);
	return &c->entries[i];
}

/* ---- the facts ---- */

bool
key_cache_get(
    struct key_cache *c, struct str key_id, int64_t now_ms, struct arena *a, struct key_facts *out)
{
	const struct entry *en;
	bool good;

	(void)pthread_mutex_lock(&c->lock);
	en = find(c, key_id);
	good = en != NULL && en->epoch == c->epoch && now_ms - en->asked_ms < KEY_CACHE_VALID_MS;
	if (good) {
		*out = en->facts;
		out->allowed_origins = arena_dup(a, en->facts.allowed_origins);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return good;
}

bool
key_cache_recall(struct key_cache *c, struct str key_id, unsigned char hash[HMAC_BYTES])
{
	const struct entry *en;

	(void)pthread_mutex_lock(&c->lock);
	en = find(c, key_id);
	if (en != NULL)
		memcpy(hash, en->facts.hash, HMAC_BYTES);
	(void)pthread_mutex_unlock(&c->lock);
	return en != NULL;
}

uint64_t
key_cache_epoch(struct key_cache *c)
{
	uint64_t epoch;

	(void)pthread_mutex_lock(&c->lock);
	epoch = c->epoch;
	(void)pthread_mutex_unlock(&c->lock);
	return epoch;
}

void
key_cache_put(struct key_cache *c, struct str key_id, const struct key_facts *f, uint64_t epoch,
    int64_t asked_ms)
{
	struct entry *en;

	if (key_id.n > API_KEY_ID_MAX_CHARS)
		return;
	(void)pthread_mutex_lock(&c->lock);
	en = find(c, key_id);
	if (en == NULL)
		en = add(c, key_id);
	free(en->origins);
	en->origins = f->allowed_origins.n > 0
	    ? must(strndup(f->allowed_origins.p, f->allowed_origins.n))
	    : NULL;
	en->facts = *f;
	en->facts.allowed_origins = str_of(en->origins);
	en->epoch = epoch;
	en->asked_ms = asked_ms;
	(void)pthread_mutex_unlock(&c->lock);
}

void
key_cache_forget(struct key_cache *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->epoch++;
	(void)pthread_mutex_unlock(&c->lock);
}

/* ---- the uses ---- */

void
key_cache_mark_used(struct key_cache *c, struct str key_id, int64_t at_ms)
{
	struct entry *en;

	(void)pthread_mutex_lock(&c->lock);
	en = find(c, key_id);
	if (en != NULL && en->used_ms < at_ms)
		en->used_ms = at_ms;
	(void)pthread_mutex_unlock(&c->lock);
}

int
key_cache_take_used(struct key_cache *c, int *place, struct key_use *out, int most)
{
	int n = 0;

	(void)pthread_mutex_lock(&c->lock);
	for (; *place < c->n && n < most; ++*place) {
		struct entry *en = &c->entries[*place];

		if (en->used_ms == 0)
			continue;
		memcpy(out[n].key_id, en->key_id, sizeof out[n].key_id);
		out[n++].at_ms = en->used_ms;
		en->used_ms = 0;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}

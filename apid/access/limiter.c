#include "apid/access/limiter.h"

#include <pthread.h>
#include <sodium.h>

enum { BUCKETS = 4096, WAYS = 8, MINUTE_MS = 60000 };

/* Callers are known by a keyed hash: nobody can choose an id that falls on another's. */
struct caller {
	uint64_t name; /* 0: free */
	int64_t since_ms;
	int64_t count;
};

struct limiter {
	pthread_mutex_t lock;
	unsigned char key[crypto_shorthash_KEYBYTES];
	struct caller table[BUCKETS][WAYS];
};

struct limiter *
limiter_new(void)
{
	struct limiter *l = calloc(1, sizeof *l);

	if (l == NULL)
		abort();
	(void)pthread_mutex_init(&l->lock, NULL);
	crypto_shorthash_keygen(l->key);
	return l;
}

void
limiter_free(struct limiter *l)
{
	if (l == NULL)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static uint64_t
name_of(const struct limiter *l, struct str id)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t name;

	(void)crypto_shorthash(hash, (const unsigned char *)id.p, id.n, l->key);
	memcpy(&name, hash, sizeof name);
	return name == 0 ? 1 : name;
}

static bool
is_over(const struct caller *c, int64_t now_ms)
{
	return c->name == 0 || now_ms - c->since_ms >= MINUTE_MS;
}

/* His place, or NULL. */
static struct caller *
find(struct limiter *l, uint64_t name, int64_t now_ms)
{
	struct caller *bucket = l->table[name % BUCKETS];

	for (int i = 0; i < WAYS; i++) {
		if (bucket[i].name == name && !is_over(&bucket[i], now_ms))
			return &bucket[i];
	}
	return NULL;
}

/* A free place, or one whose minute is over, or that of the caller who asked for least. */
static struct caller *
begin(struct limiter *l, uint64_t name, int64_t now_ms)
{
	struct caller *bucket = l->table[name % BUCKETS], *best = &bucket[0];

	for (int i = 0; i < WAYS && !is_over(best, now_ms); i++) {
		if (is_over(&bucket[i], now_ms) || bucket[i].count < best->count)
			best = &bucket[i];
	}
	*best = (struct caller){ .name = name, .since_ms = now_ms };
	return best;
}

static struct limit_state
state_of(const struct caller *c, int64_t per_minute, int64_t now_ms)
{
	int64_t left = c == NULL ? per_minute : per_minute - c->count;
	int64_t left_ms = c == NULL ? MINUTE_MS : c->since_ms + MINUTE_MS - now_ms;

	return (struct limit_state){
		.allowed = left > 0,
		.left = left > 0 ? left : 0,
		.reset_s = (left_ms + 999) / 1000,
	};
}

struct limit_state
limiter_look(struct limiter *l, struct str id, int64_t per_minute, int64_t now_ms)
{
	uint64_t name = name_of(l, id);
	struct limit_state s;

	(void)pthread_mutex_lock(&l->lock);
	s = state_of(find(l, name, now_ms), per_minute, now_ms);
	(void)pthread_mutex_unlock(&l->lock);
	return s;
}

struct limit_state
limiter_take(struct limiter *l, struct str id, int64_t per_minute, int64_t now_ms)
{
	uint64_t name = name_of(l, id);
	struct limit_state s;
	struct caller *c;

	(void)pthread_mutex_lock(&l->lock);
	c = find(l, name, now_ms);
	if (c == NULL)
		c = begin(l, name, now_ms);
	s = state_of(c, per_minute, now_ms);
	if (s.allowed) {
		c->count++;
		s.left--;
	}
	(void)pthread_mutex_unlock(&l->lock);
	return s;
}

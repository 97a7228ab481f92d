/*
 * key_cache - what the database said of API keys a moment ago, and when each was used.
 *
 * Use:      key_cache_get(); when it has nothing, key_cache_epoch(), ask the database,
 *           key_cache_put(). key_cache_take_used() now and then.
 * Owns:     its memory, which grows with the keys in use up to the number it was made for; then an
 *           older one makes room.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  keys that do not exist: their number has no bound.
 *
 * What it knows is good for KEY_CACHE_VALID_MS and until key_cache_forget(). An answer that was
 * under way meanwhile is not kept either: that is what the epoch is for.
 */
#ifndef CTI_APID_KEY_CACHE_H
#define CTI_APID_KEY_CACHE_H

#include "common/base/arena.h"
#include "common/base/own.h"
#include "common/base/uuid.h"
#include "common/crypto/api_key.h"

/* A revocation is to be known everywhere within 5 s, however many notifications are lost. */
enum { KEY_CACHE_VALID_MS = 4500 };

struct key_facts {
	struct uuid app_id;
	unsigned char hash[HMAC_BYTES];
	bool is_live;               /* not revoked, and the app was not deleted */
	bool is_active;             /* the app is not disabled */
	int64_t expires_ms;         /* monotonic; INT64_MAX: never */
	struct str allowed_origins; /* of the app, separated by commas; empty: any */
};

struct key_use {
	char key_id[API_KEY_ID_MAX_CHARS + 1];
	int64_t at_ms; /* since 1970 */
};

struct key_cache;

struct key_cache *key_cache_new(int most_keys);
void key_cache_free(struct key_cache *c); /* NULL is allowed */

/* now_ms is monotonic. The origins are copied into the arena. */
bool key_cache_get(
    struct key_cache *c, struct str key_id, int64_t now_ms, struct arena *a, struct key_facts *out);

/* The hash that was last known of a key, however long ago. */
bool key_cache_recall(struct key_cache *c, struct str key_id, unsigned char hash[HMAC_BYTES]);

uint64_t key_cache_epoch(struct key_cache *c);
/* The answer to a question that was asked at asked_ms in this epoch. Everything is copied. */
void key_cache_put(struct key_cache *c, struct str key_id, const struct key_facts *f,
    uint64_t epoch, int64_t asked_ms);
void key_cache_forget(struct key_cache *c);

/* Of a key that is not here any more the use is forgotten. */
void key_cache_mark_used(struct key_cache *c, struct str key_id, int64_t at_ms);
/* Takes out the last uses of up to `most` keys, beginning at *place (0 at first). Returns their
 * number; 0 at the end. */
int key_cache_take_used(struct key_cache *c, int *place, struct key_use *out, int most);

OWN_DEFINE(key_cache, struct key_cache *, NULL, key_cache_free)

#endif

/*
 * keyring - whose is this API key? And when was each last used.
 *
 * Use:      keyring_start(); keyring_find() per request; keyring_forget() as the listener's on_hint
 *           for KEYRING_CHANNEL; keyring_stop() before the pool is freed.
 * Owns:     a cache of keys, and a thread that writes their last uses once a minute.
 * Threads:  safe.
 * Errors:   UNAVAILABLE and TIMEOUT from the database.
 * Not for:  limits and answers (auth.h).
 */
#ifndef CTI_APID_KEYRING_H
#define CTI_APID_KEYRING_H

#include "apid/access/key_cache.h"
#include "apid/access/pepper.h"
#include "common/db/db.h"

/* Whatever changes keys, or what an app may do, notifies here in the same transaction. */
#define KEYRING_CHANNEL "cti_keys"

struct keyring;

enum key_verdict {
	KEY_UNASKED,  /* never seen here, and the database was not to be asked */
	KEY_BAD,      /* no key of ours, or not any more */
	KEY_DISABLED, /* right, but its app is disabled */
	KEY_GOOD,
};

struct key_holder {
	struct uuid app_id;
	struct str key_id;          /* borrowed from the key's text */
	struct str allowed_origins; /* separated by commas; empty: any */
};

/* The pepper is borrowed. */
CTI_MUST_CHECK enum err_code keyring_start(
    struct db_pool *pool, const struct pepper *pepper, struct keyring **out, struct err *e);
void keyring_stop(struct keyring *k); /* writes the last uses; NULL is allowed */

/* Without may_ask the database is asked only about keys that were right here before. *out is filled
 * when KEY_GOOD, which counts as a use. `a` is the request's. */
CTI_MUST_CHECK enum err_code keyring_find(struct keyring *k, struct str text, bool may_ask,
    struct arena *a, struct key_holder *out, enum key_verdict *verdict, struct err *e);

void keyring_forget(void *keyring);

#endif

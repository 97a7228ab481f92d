/*
 * pepper - API_KEY_PEPPER, and the one before it while it is being changed.
 *
 * Use:      pepper_of() at start. What is made is made with the first; what is shown may have been
 *           made with either: pepper_fits() for API keys, pepper_derive() for what is signed.
 * Owns:     nothing: the texts are the configuration's. Whoever derives keys wipes them.
 * Threads:  plain values.
 * Errors:   none.
 */
#ifndef CTI_APID_PEPPER_H
#define CTI_APID_PEPPER_H

#include "common/conf/conf.h"
#include "common/crypto/hmac.h"

enum { PEPPERS = 2 };

struct pepper {
	struct str each[PEPPERS]; /* without one before it, the present one twice */
};

/* Derived for one purpose, in the same order. */
struct pepper_keys {
	unsigned char each[PEPPERS][HMAC_BYTES];
};

struct pepper pepper_of(const struct conf *c);

/* Is this the hash of the whole API key? */
bool pepper_fits(const struct pepper *p, struct str api_key, const unsigned char hash[HMAC_BYTES]);

void pepper_derive(const struct pepper *p, const char *purpose, struct pepper_keys *out);

/* Views of derived keys: the one to sign with is the first. */
static inline struct str
pepper_key(const struct pepper_keys *k, int which)
{
	return (struct str){ (const char *)k->each[which], HMAC_BYTES };
}

#endif

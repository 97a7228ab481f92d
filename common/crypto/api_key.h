/*
 * api_key - the keys that client apps send: "cti_<env>_<key id>_<secret>".
 *
 * Use:      api_key_make() for a new one, api_key_parse() for one that was sent, then compare
 *           api_key_hash() of the whole text with the stored hash, by sodium_memcmp.
 * Owns:     nothing. Wipe the text of a new key once it was shown.
 * Threads:  safe.
 * Errors:   api_key_parse: false for any text that api_key_make() cannot have made.
 * Not for:  the admin's secret, which has no form.
 *
 * <env> is "live" in production, else "test". <key id> names the key in the database and in logs
 * and is no secret. <secret> is 32 random bytes as base64url, which is why the stored hash is a
 * keyed one and not a slow one: there is nothing to guess.
 */
#ifndef CTI_API_KEY_H
#define CTI_API_KEY_H

#include "common/base/str.h"
#include "common/crypto/hmac.h"

enum {
	API_KEY_ID_CHARS = 12, /* of a new key; more are read, too */
	API_KEY_ID_MAX_CHARS = 32,
	API_KEY_HINT_CHARS = 4, /* the last of the text: what a person is shown later */
	API_KEY_BYTES = 4 + 5 + API_KEY_ID_CHARS + 1 + 43 + 1, /* with the NUL */
};

/* sodium_init() must have been called. */
void api_key_make(bool production, char out[API_KEY_BYTES]);

/* *key_id is borrowed from `text`. */
bool api_key_parse(struct str text, struct str *key_id);

/* Can this be the id of a key? */
bool api_key_is_id(struct str s);

/* What is stored: HMAC-SHA256 of the whole text under the pepper. */
void api_key_hash(struct str pepper, struct str text, unsigned char out[HMAC_BYTES]);

struct str api_key_hint(struct str text); /* borrowed from it */

#endif

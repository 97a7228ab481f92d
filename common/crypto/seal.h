/*
 * seal - secrets that are stored: encrypted and authenticated, bound to the place they belong to.
 *
 * Use:      seal_keys_init() with TOKEN_ENCRYPTION_KEY and, during a rotation, the key before;
 *           seal_lock() before writing a column, seal_open() after reading it.
 * Owns:     struct seal_keys holds the keys: seal_keys_wipe(). What comes out of seal_open() is the
 *           caller's to wipe.
 * Threads:  the keys are read-only after init.
 * Errors:   seal_open: INTERNAL: sealed under a key that is not given, for another place, or changed.
 *           The message says which of these can be told, and nothing of the content.
 * Not for:  many gigabytes under one key; passwords.
 * Source:   XChaCha20-Poly1305 (IETF) by libsodium, with a random nonce.
 *
 * A sealed value is: 1 (the format), key id (8 bytes), nonce (24), ciphertext, tag (16). Format, key
 * id, app id and purpose are authenticated with it, so that a value cannot be moved to another app or
 * another column. Key and key id are HMACs of the variable's text.
 */
#ifndef CTI_SEAL_H
#define CTI_SEAL_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

enum { SEAL_KEY_BYTES = 32, SEAL_ID_BYTES = 8 };

struct seal_key {
	unsigned char key[SEAL_KEY_BYTES], id[SEAL_ID_BYTES];
};

struct seal_keys {
	struct seal_key keys[2]; /* the present one, the one before */
	int n;                   /* 0: no key is set */
};

/* Where a value belongs. */
struct seal_place {
	struct uuid app_id;
	const char *purpose; /* "access_token" */
};

/* Empty texts: no key. */
void seal_keys_init(struct seal_keys *k, struct str current, struct str previous);
void seal_keys_wipe(struct seal_keys *k);

/* Appends the sealed value, under the present key. There must be one (asserted). */
void seal_lock(
    const struct seal_keys *k, struct seal_place place, struct str plain, struct buf *out);

/* Appends the plain value. */
CTI_MUST_CHECK enum err_code seal_open(const struct seal_keys *k, struct seal_place place,
    struct str sealed, struct buf *out, struct err *e);

/* Sealed under the present key? */
bool seal_is_current(const struct seal_keys *k, struct str sealed);

#endif

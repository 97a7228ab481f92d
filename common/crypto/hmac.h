/*
 * hmac - HMAC-SHA256 with a key of any length.
 *
 * Use:      hmac_is_usable() once at start, then hmac_sha256(key, message, out).
 * Owns:     each thread's state, which holds what was made of its last key until the thread ends.
 * Threads:  safe.
 * Errors:   none after a good start; an empty key is a programmer's error (asserted).
 * Source:   RFC 2104 by OpenSSL's libcrypto, which uses the processor's SHA instructions.
 */
#ifndef CTI_HMAC_H
#define CTI_HMAC_H

#include "common/base/str.h"

#include <stdbool.h>

enum { HMAC_BYTES = 32 };

/* False: libcrypto lacks it, by its configuration. */
bool hmac_is_usable(void);

void hmac_sha256(struct str key, struct str message, unsigned char out[HMAC_BYTES]);

#endif

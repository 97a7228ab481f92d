/*
 * hmac - HMAC-SHA256 with a key of any length.
 *
 * Use:      hmac_sha256(key, message, out).
 * Owns:     nothing; the state is wiped.
 * Threads:  safe.
 * Errors:   none; an empty key is a programmer's error (asserted).
 * Source:   RFC 2104 by libsodium.
 */
#ifndef CTI_HMAC_H
#define CTI_HMAC_H

#include "common/base/str.h"

enum { HMAC_BYTES = 32 };

void hmac_sha256(struct str key, struct str message, unsigned char out[HMAC_BYTES]);

#endif

/*
 * sha1 - SHA-1 of one piece of bytes, for name-based UUIDs only.
 *
 * Use:      sha1_init, sha1_add as often as wanted, sha1_end once.
 * Owns:     nothing.
 * Threads:  no shared state.
 * Errors:   none.
 * Not for:  security: SHA-1 is broken for that. Keys and signatures use libsodium.
 * Source:   FIPS 180-4.
 */
#ifndef CTI_SHA1_H
#define CTI_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { SHA1_BYTES = 20, SHA1_BLOCK = 64 };

struct sha1 {
	uint32_t h[5];
	uint64_t bytes; /* added so far */
	uint8_t block[SHA1_BLOCK];
};

void sha1_init(struct sha1 *s);
void sha1_add(struct sha1 *s, const void *p, size_t n);
void sha1_end(struct sha1 *s, uint8_t out[SHA1_BYTES]);

#endif

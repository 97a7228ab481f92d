/*
 * fuzz - what the fuzz targets share: cutting an input into parts, and signing some of them.
 *
 * Use:      a target defines LLVMFuzzerTestOneInput(). clang's libFuzzer drives it
 *           (`make BUILD=fuzz fuzz`); replay.c runs the kept inputs through it in `make test`.
 * Owns:     nothing.
 * Threads:  one.
 * Errors:   FUZZ_CHECK ends the process, which is what a fuzzer takes for a find.
 * Not for:  anything but test/fuzz.
 *
 * Parts are cut off the front, so that any input means something and a changed byte changes little.
 */
#ifndef CTI_FUZZ_H
#define CTI_FUZZ_H

#include "common/base/buf.h"
#include "common/crypto/base64url.h"
#include "common/crypto/hmac.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_CHECK(cond)                                                                 \
	do {                                                                             \
		if (!(cond)) {                                                           \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                         \
		}                                                                        \
	} while (0)

enum { FUZZ_TOKEN_ROOM = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The next byte; 0 when there is none. */
static inline unsigned
fuzz_byte(struct str *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return (unsigned char)*in->p++;
}

/* Up to the next line feed, or all. */
static inline struct str
fuzz_line(struct str *in)
{
	struct str rest, line = str_cut(*in, '\n', &rest);

	*in = rest;
	return line;
}

/* Exactly the bytes given, in memory of just that size: ASan sees each read behind the end. */
static inline char *
fuzz_exact(struct str s)
{
	char *copy = malloc(s.n == 0 ? 1 : s.n);

	FUZZ_CHECK(copy != NULL);
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	return copy;
}

/* Adds '.' and the right signature of all that is in the buf. */
static inline void
fuzz_sign(struct buf *token, struct str key)
{
	unsigned char mac[HMAC_BYTES];

	hmac_sha256(key, buf_str(token), mac);
	buf_add_char(token, '.');
	base64url_encode((struct str){ (const char *)mac, sizeof mac }, token);
}

/* A token that is genuine whatever its header and claims say. */
static inline void
fuzz_token(struct str header, struct str claims, struct str key, struct buf *token)
{
	base64url_encode(header, token);
	buf_add_char(token, '.');
	base64url_encode(claims, token);
	fuzz_sign(token, key);
}

#endif

#include "common/base/sha1.h"

#include <string.h>

static uint32_t
rotate(uint32_t x, int bits)
{
	return x << bits | x >> (32 - bits);
}

static uint32_t
load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
store_be32(uint8_t *p, uint32_t v)
{
	for (int i = 4; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

/* f_t of the standard plus its constant K_t. */
static uint32_t
mix(int t, uint32_t b, uint32_t c, uint32_t d)
{
	switch (t / 20) {
	case 0: return ((b & c) | (~b & d)) + 0x5a827999;
	case 1: return (b ^ c ^ d) + 0x6ed9eba1;
	case 2: return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	default: return (b ^ c ^ d) + 0xca62c1d6;
	}
}

static void
absorb(uint32_t h[5], const uint8_t *block)
{
	uint32_t w[80], v[5], next;

	for (int t = 0; t < 16; t++)
		w[t] = load_be32(block + 4 * t);
	for (int t = 16; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, h, sizeof v);
	for (int t = 0; t < 80; t++) {
		next = rotate(v[0], 5) + mix(t, v[1], v[2], v[3]) + v[4] + w[t];
		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (int i = 0; i < 5; i++)
		h[i] += v[i];
}

void
sha1_init(struct sha1 *s)
{
	static const uint32_t start[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0xc3d2e1f0 };

	memcpy(s->h, start, sizeof start);
	s->bytes = 0;
}

void
sha1_add(struct sha1 *s, const void *p, size_t n)
{
	const uint8_t *in = p;
	size_t used, part;

	while (n > 0) {
		used = (size_t)(s->bytes % SHA1_BLOCK);
		part = n < SHA1_BLOCK - used ? n : SHA1_BLOCK - used;
		memcpy(s->block + used, in, part);
		s->bytes += part;
		in += part;
		n -= part;
		if (used + part == SHA1_BLOCK)
			absorb(s->h, s->block);
	}
}

void
sha1_end(struct sha1 *s, uint8_t out[SHA1_BYTES])
{
	static const uint8_t pad[SHA1_BLOCK] = { 0x80 };
	uint64_t bits = s->bytes * 8;
	size_t used = (size_t)(s->bytes % SHA1_BLOCK);
	uint8_t length[8];

	store_be32(length, (uint32_t)(bits >> 32));
	store_be32(length + 4, (uint32_t)bits);
	/* Up to the last 8 bytes of this block, or of the next where they are taken. */
	sha1_add(s, pad, (used < 56 ? 56 : 120) - used);
	sha1_add(s, length, sizeof length);
	for (int i = 0; i < 5; i++)
		store_be32(out + 4 * i, s->h[i]);
}

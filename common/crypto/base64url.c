#include "common/crypto/base64url.h"

#include <sodium.h>

void
base64url_encode(struct str bytes, struct buf *out)
{
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	size_t with_nul = sodium_base64_encoded_len(bytes.n, variant);
	char *at = buf_grow(out, with_nul - 1); /* a buf has room for a NUL behind its content */

	if (at != NULL)
		sodium_bin2base64(at, with_nul, (const unsigned char *)bytes.p, bytes.n, variant);
}

/* One more than the six bits that a character stands for; 0 for what is none of ours. Not libsodium's
 * decoder: it takes bytes from 0x80 up for '_', and takes several times as long, to hide from its
 * timing what it decodes. Here that has come over the wire, readable. */
static const signed char SIX_BITS[256] = {
#define B(c, v) [c] = (v) + 1
#define B6(a, b, c, d, e, f, v) \
	B(a, v), B(b, v + 1), B(c, v + 2), B(d, v + 3), B(e, v + 4), B(f, v + 5)
	B6('A', 'B', 'C', 'D', 'E', 'F', 0),
	B6('G', 'H', 'I', 'J', 'K', 'L', 6),
	B6('M', 'N', 'O', 'P', 'Q', 'R', 12),
	B6('S', 'T', 'U', 'V', 'W', 'X', 18),
	B6('Y', 'Z', 'a', 'b', 'c', 'd', 24),
	B6('e', 'f', 'g', 'h', 'i', 'j', 30),
	B6('k', 'l', 'm', 'n', 'o', 'p', 36),
	B6('q', 'r', 's', 't', 'u', 'v', 42),
	B6('w', 'x', 'y', 'z', '0', '1', 48),
	B6('2', '3', '4', '5', '6', '7', 54),
	B('8', 60),
	B('9', 61),
	B('-', 62),
	B('_', 63),
#undef B6
#undef B
};

/* Up to four characters give one byte less. False: not base64url, or bits set behind the last byte. */
static bool
decode_quad(struct str quad, char *out)
{
	uint32_t bits = 0;
	int bad = 0;

	for (size_t i = 0; i < 4; i++) {
		int six = i < quad.n ? SIX_BITS[(unsigned char)quad.p[i]] - 1 : 0;

		bad |= six;
		bits = bits << 6 | ((uint32_t)six & 63);
	}
	for (size_t i = 0; i + 1 < quad.n; i++)
		out[i] = (char)(bits >> (16 - 8 * i));
	return bad >= 0 && quad.n > 1 && (bits & 0xffffffu >> 8 * (quad.n - 1)) == 0;
}

bool
base64url_decode(struct str text, struct buf *out)
{
	size_t before = out->n;
	char *at = buf_grow(out, text.n / 4 * 3 + text.n % 4 * 3 / 4);
	bool good = at != NULL;

	for (size_t i = 0; good && i < text.n; i += 4, at += 3)
		good = decode_quad((struct str){ text.p + i, text.n - i < 4 ? text.n - i : 4 }, at);
	if (at != NULL && !good)
		out->n = before;
	return good;
}

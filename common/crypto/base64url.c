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

/* Four characters give three bytes. Returns less than 0 when one of them is none of ours. */
static int
decode_quad(const char *from, char *to)
{
	int a = SIX_BITS[(unsigned char)from[0]] - 1, b = SIX_BITS[(unsigned char)from[1]] - 1;
	int c = SIX_BITS[(unsigned char)from[2]] - 1, d = SIX_BITS[(unsigned char)from[3]] - 1;

	to[0] = (char)((unsigned)a << 2 | (unsigned)b >> 4);
	to[1] = (char)((unsigned)b << 4 | (unsigned)c >> 2);
	to[2] = (char)((unsigned)c << 6 | (unsigned)d);
	return a | b | c | d;
}

/* Up to three characters give one byte less: as if the rest were zero, which it must be. */
static bool
decode_rest(struct str rest, char *to)
{
	char quad[4] = "AAAA", bytes[3];
	bool good;

	if (rest.n == 0)
		return true;
	memcpy(quad, rest.p, rest.n);
	good = rest.n > 1 && decode_quad(quad, bytes) >= 0;
	memcpy(to, bytes, rest.n - 1);
	return good && bytes[rest.n - 1] == 0 && bytes[2] == 0;
}

bool
base64url_decode(struct str text, struct buf *out)
{
	size_t before = out->n, whole = text.n / 4 * 4;
	char *at = buf_grow(out, text.n / 4 * 3 + text.n % 4 * 3 / 4);
	int bad = 0;

	if (at == NULL)
		return false;
	for (size_t i = 0; i < whole; i += 4, at += 3)
		bad |= decode_quad(text.p + i, at);
	if (bad >= 0 && decode_rest((struct str){ text.p + whole, text.n - whole }, at))
		return true;
	out->n = before;
	return false;
}

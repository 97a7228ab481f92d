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

/* libsodium 1.0.18 takes every byte from 0x80 up for '_'. */
static bool
is_ascii(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	return true;
}

bool
base64url_decode(struct str text, struct buf *out)
{
	size_t room = text.n / 4 * 3 + text.n % 4 * 3 / 4, n = 0, before = out->n;
	char *at = buf_grow(out, room);

	if (at == NULL)
		return false;
	/* Strict only without an end pointer: then anything unread is an error. */
	if (!is_ascii(text)
	    || sodium_base642bin((unsigned char *)at, room, text.p, text.n, NULL, &n, NULL,
	        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) {
		out->n = before;
		return false;
	}
	out->n = before + n;
	return true;
}

#include "common/crypto/api_key.h"

#include "common/crypto/base64url.h"

#include <sodium.h>
#include <stdio.h>

enum { SECRET_BYTES = 32, SECRET_CHARS = 43 };

static const char ID_ALPHABET[] = "abcdefghijklmnopqrstuvwxyz0123456789";

void
api_key_make(bool production, char out[API_KEY_BYTES])
{
	unsigned char secret[SECRET_BYTES];
	char id[API_KEY_ID_CHARS + 1] = "", text[SECRET_CHARS + 1];

	for (int i = 0; i < API_KEY_ID_CHARS; i++)
		id[i] = ID_ALPHABET[randombytes_uniform(sizeof ID_ALPHABET - 1)];
	randombytes_buf(secret, sizeof secret);
	sodium_bin2base64(
	    text, sizeof text, secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	(void)snprintf(out, API_KEY_BYTES, "cti_%s_%s_%s", production ? "live" : "test", id, text);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(text, sizeof text);
}

bool
api_key_is_id(struct str s)
{
	if (s.n < API_KEY_ID_CHARS || s.n > API_KEY_ID_MAX_CHARS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || strchr(ID_ALPHABET, s.p[i]) == NULL)
			return false;
	}
	return true;
}

static bool
is_secret(struct str s)
{
	AUTO_RELEASE(buf_release) struct buf bytes = BUF(SECRET_CHARS);

	return s.n == SECRET_CHARS && base64url_decode(s, &bytes);
}

/* The secret may hold underscores: it is what follows the third one. */
bool
api_key_parse(struct str text, struct str *key_id)
{
	struct str rest, prefix = str_cut(text, '_', &rest);
	struct str env = str_cut(rest, '_', &rest);
	struct str id = str_cut(rest, '_', &rest);

	if (!str_eq(prefix, STR("cti")) || !(str_eq(env, STR("live")) || str_eq(env, STR("test"))))
		return false;
	if (!api_key_is_id(id) || !is_secret(rest))
		return false;
	*key_id = id;
	return true;
}

void
api_key_hash(struct str pepper, struct str text, unsigned char out[HMAC_BYTES])
{
	hmac_sha256(pepper, text, out);
}

struct str
api_key_hint(struct str text)
{
	size_t n = text.n < API_KEY_HINT_CHARS ? text.n : API_KEY_HINT_CHARS;

	return (struct str){ text.p + text.n - n, n };
}

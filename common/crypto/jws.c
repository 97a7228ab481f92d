#include "common/crypto/jws.h"

#include "common/crypto/base64url.h"
#include "common/crypto/hmac.h"
#include "common/json/json_in.h"

#include <sodium.h>

enum { MAX_HEADER_BYTES = 1024 };

struct parts {
	struct str header, claims, signature;
	struct str signed_bytes; /* header '.' claims */
};

/* Exactly two dots. */
static bool
split(struct str token, struct parts *out)
{
	struct str rest;

	out->header = str_cut(token, '.', &rest);
	out->claims = str_cut(rest, '.', &out->signature);
	if (out->signature.p == NULL || memchr(out->signature.p, '.', out->signature.n) != NULL)
		return false;
	out->signed_bytes = (struct str){ token.p, out->header.n + 1 + out->claims.n };
	return true;
}

static bool
mac_matches(struct str key, struct str message, const unsigned char mac[HMAC_BYTES])
{
	unsigned char want[HMAC_BYTES];
	bool same;

	hmac_sha256(key, message, want);
	same = sodium_memcmp(want, mac, HMAC_BYTES) == 0;
	sodium_memzero(want, sizeof want);
	return same;
}

/* The header says HS256 and asks for nothing that we would have to understand. */
static bool
header_is_hs256(struct str header_b64)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_HEADER_BYTES);
	AUTO_RELEASE(arena_release) struct arena a;
	const struct json *header;
	struct err ignored;
	struct str alg;

	arena_init(&a);
	if (!base64url_decode(header_b64, &text))
		return false;
	if (json_parse_in(&a, buf_str(&text), &header, &ignored) != ERR_OK)
		return false;
	return json_get_str(header, "alg", &alg) && str_eq(alg, STR("HS256"))
	    && json_get(header, "crit") == NULL;
}

enum err_code
jws_verify(struct str token, const struct str *keys, int nkeys, int *which, struct buf *claims,
    struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf mac = BUF(HMAC_BYTES);
	struct parts parts;
	int match = -1;

	if (!split(token, &parts))
		return err_set(e, ERR_UNAUTHORIZED, "not a compact JWS");
	if (!base64url_decode(parts.signature, &mac) || mac.n != HMAC_BYTES)
		return err_set(e, ERR_UNAUTHORIZED, "signature is not 32 bytes of base64url");
	for (int i = 0; i < nkeys && match < 0; i++)
		if (mac_matches(keys[i], parts.signed_bytes, (const unsigned char *)mac.p))
			match = i;
	if (match < 0)
		return err_set(e, ERR_UNAUTHORIZED, "signature does not match");
	if (!header_is_hs256(parts.header))
		return err_set(e, ERR_UNAUTHORIZED, "the algorithm is not HS256");
	if (!base64url_decode(parts.claims, claims)) {
		if (claims->failed)
			return err_set(e, ERR_TOO_LARGE, "claims over %zu bytes", claims->max);
		return err_set(e, ERR_UNAUTHORIZED, "claims are not base64url");
	}
	*which = match;
	return ERR_OK;
}

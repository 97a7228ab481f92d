#include "common/crypto/hmac.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(HMAC_BYTES == crypto_auth_hmacsha256_BYTES, "an HMAC-SHA256 has 32 bytes");

void
hmac_sha256(struct str key, struct str message, unsigned char out[HMAC_BYTES])
{
	crypto_auth_hmacsha256_state st;

	assert(key.n > 0);
	crypto_auth_hmacsha256_init(&st, (const unsigned char *)key.p, key.n);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)message.p, message.n);
	crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof st);
}

#include "apid/access/pepper.h"

#include "common/crypto/api_key.h"

#include <sodium.h>

struct pepper
pepper_of(const struct conf *c)
{
	struct str present = str_of(c->api_key_pepper),
		   previous = str_of(c->api_key_pepper_previous);

	return (struct pepper){ { present, previous.n > 0 ? previous : present } };
}

bool
pepper_fits(const struct pepper *p, struct str api_key, const unsigned char hash[HMAC_BYTES])
{
	unsigned char own[HMAC_BYTES];
	bool fits = false;

	for (int i = 0; i < PEPPERS && !fits; i++) {
		api_key_hash(p->each[i], api_key, own);
		fits = sodium_memcmp(own, hash, HMAC_BYTES) == 0;
	}
	return fits;
}

void
pepper_derive(const struct pepper *p, const char *purpose, struct pepper_keys *out)
{
	for (int i = 0; i < PEPPERS; i++)
		hmac_sha256(p->each[i], str_of(purpose), out->each[i]);
}

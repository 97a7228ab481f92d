#include "common/crypto/seal.h"

#include "common/crypto/hmac.h"

#include <assert.h>
#include <sodium.h>

enum {
	FORMAT = 1,
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	HEAD_BYTES = 1 + SEAL_ID_BYTES,
	FIXED_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES,
	MAX_PURPOSE_BYTES = 32,
	MAX_DATA_BYTES = HEAD_BYTES + 16 + MAX_PURPOSE_BYTES,
};

/* What is authenticated beside the content. */
struct data {
	unsigned char b[MAX_DATA_BYTES];
	size_t n;
};

static void
key_init(struct seal_key *k, struct str text)
{
	unsigned char id[HMAC_BYTES];

	hmac_sha256(text, STR("cti-seal-v1|key"), k->key);
	hmac_sha256(text, STR("cti-seal-v1|id"), id);
	memcpy(k->id, id, SEAL_ID_BYTES);
}

void
seal_keys_init(struct seal_keys *k, struct str current, struct str previous)
{
	k->n = 0;
	if (current.n > 0)
		key_init(&k->keys[k->n++], current);
	if (k->n > 0 && previous.n > 0)
		key_init(&k->keys[k->n++], previous);
}

void
seal_keys_wipe(struct seal_keys *k)
{
	sodium_memzero(k, sizeof *k);
}

static struct data
data_of(const unsigned char head[HEAD_BYTES], struct seal_place place)
{
	struct data d;
	size_t purpose = strlen(place.purpose);

	assert(purpose <= MAX_PURPOSE_BYTES);
	memcpy(d.b, head, HEAD_BYTES);
	memcpy(d.b + HEAD_BYTES, place.app_id.b, sizeof place.app_id.b);
	memcpy(d.b + HEAD_BYTES + sizeof place.app_id.b, place.purpose, purpose);
	d.n = HEAD_BYTES + sizeof place.app_id.b + purpose;
	return d;
}

void
seal_lock(const struct seal_keys *k, struct seal_place place, struct str plain, struct buf *out)
{
	unsigned char *at;
	struct data d;

	assert(k->n > 0);
	at = (unsigned char *)buf_grow(out, FIXED_BYTES + plain.n);
	if (at == NULL)
		return;
	at[0] = FORMAT;
	memcpy(at + 1, k->keys[0].id, SEAL_ID_BYTES);
	randombytes_buf(at + HEAD_BYTES, NONCE_BYTES);
	d = data_of(at, place);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(at + HEAD_BYTES + NONCE_BYTES, NULL,
	    (const unsigned char *)plain.p, plain.n, d.b, d.n, NULL, at + HEAD_BYTES,
	    k->keys[0].key);
}

/* NULL: none of ours. */
static const struct seal_key *
key_of(const struct seal_keys *k, struct str sealed)
{
	for (int i = 0; i < k->n; i++)
		if (memcmp(sealed.p + 1, k->keys[i].id, SEAL_ID_BYTES) == 0)
			return &k->keys[i];
	return NULL;
}

static bool
is_sealed(struct str s)
{
	return s.n >= FIXED_BYTES && s.p[0] == FORMAT;
}

enum err_code
seal_open(const struct seal_keys *k, struct seal_place place, struct str sealed, struct buf *out,
    struct err *e)
{
	const unsigned char *from = (const unsigned char *)sealed.p;
	const struct seal_key *key;
	size_t before = out->n;
	struct data d;
	char *at;

	if (!is_sealed(sealed))
		return err_set(e, ERR_INTERNAL, "%s: not a sealed value", place.purpose);
	key = key_of(k, sealed);
	if (key == NULL)
		return err_set(e, ERR_INTERNAL,
		    "%s: sealed under a key that is neither TOKEN_ENCRYPTION_KEY nor its "
		    "_PREVIOUS",
		    place.purpose);
	d = data_of(from, place);
	at = buf_grow(out, sealed.n - FIXED_BYTES);
	if (at == NULL)
		return err_set(e, ERR_INTERNAL, "%s: the value is too long", place.purpose);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)at, NULL, NULL,
		from + HEAD_BYTES + NONCE_BYTES, sealed.n - HEAD_BYTES - NONCE_BYTES, d.b, d.n,
		from + HEAD_BYTES, key->key)
	    != 0) {
		out->n = before;
		return err_set(e, ERR_INTERNAL,
		    "%s: the sealed value was changed, or belongs elsewhere", place.purpose);
	}
	return ERR_OK;
}

bool
seal_is_current(const struct seal_keys *k, struct str sealed)
{
	return is_sealed(sealed) && k->n > 0 && key_of(k, sealed) == &k->keys[0];
}

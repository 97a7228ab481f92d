#include "common/crypto/hmac.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

/* HMAC-SHA256 without a key, and each thread's own copy: making one costs more than using it. */
static EVP_MAC_CTX *unkeyed;
static pthread_key_t own;

static void
release(void *ctx)
{
	EVP_MAC_CTX_free(ctx);
}

static void
find(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	char digest[] = OSSL_DIGEST_NAME_SHA2_256;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);

	EVP_MAC_free(hmac);
	if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) == 1
	    && pthread_key_create(&own, release) == 0)
		unkeyed = ctx;
	else
		EVP_MAC_CTX_free(ctx);
}

bool
hmac_is_usable(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, find);
	return unkeyed != NULL;
}

static EVP_MAC_CTX *
own_context(void)
{
	EVP_MAC_CTX *ctx;

	if (!hmac_is_usable())
		abort();
	ctx = pthread_getspecific(own);
	if (ctx == NULL) {
		ctx = EVP_MAC_CTX_dup(unkeyed);
		if (ctx == NULL || pthread_setspecific(own, ctx) != 0)
			abort();
	}
	return ctx;
}

void
hmac_sha256(struct str key, struct str message, unsigned char out[HMAC_BYTES])
{
	EVP_MAC_CTX *ctx = own_context();
	size_t n = 0;

	assert(key.n > 0);
	/* Nothing but memory could be wanting here. */
	if (EVP_MAC_init(ctx, (const unsigned char *)key.p, key.n, NULL) != 1
	    || EVP_MAC_update(ctx, (const unsigned char *)message.p, message.n) != 1
	    || EVP_MAC_final(ctx, out, &n, HMAC_BYTES) != 1 || n != HMAC_BYTES)
		abort();
}

#include "apid/access/admins.h"

#include "common/conf/conf_labelled.h"
#include "common/crypto/hmac.h"

#include <sodium.h>

enum { MOST_ADMINS = 100 };

struct admins {
	unsigned char key[HMAC_BYTES]; /* fresh at each start */
	int n;
	struct {
		char name[CONF_MAX_LABEL + 1];
		unsigned char hash[HMAC_BYTES];
	} list[MOST_ADMINS];
};

static struct str
key_of(const struct admins *a)
{
	return (struct str){ (const char *)a->key, sizeof a->key };
}

static void
add(struct admins *a, struct str name, struct str secret)
{
	if (secret.n == 0 || a->n == MOST_ADMINS)
		return;
	memcpy(a->list[a->n].name, name.p, name.n);
	hmac_sha256(key_of(a), secret, a->list[a->n].hash);
	a->n++;
}

struct admins *
admins_new(const struct conf *c)
{
	struct admins *a = calloc(1, sizeof *a);
	struct str list = str_of(c->internal_secrets), label, secret;

	if (a == NULL)
		abort();
	randombytes_buf(a->key, sizeof a->key);
	add(a, STR("admin"), str_of(c->internal_secret));
	add(a, STR("admin-previous"), str_of(c->internal_secret_previous));
	while (conf_labelled_next(&list, &label, &secret))
		add(a, label, secret);
	return a;
}

void
admins_free(struct admins *a)
{
	if (a == NULL)
		return;
	sodium_memzero(a, sizeof *a);
	free(a);
}

bool
admins_exist(const struct admins *a)
{
	return a->n > 0;
}

const char *
admins_name(const struct admins *a, struct str secret)
{
	unsigned char hash[HMAC_BYTES];
	const char *name = NULL;

	hmac_sha256(key_of(a), secret, hash);
	for (int i = 0; i < a->n; i++) {
		if (sodium_memcmp(hash, a->list[i].hash, HMAC_BYTES) == 0)
			name = a->list[i].name;
	}
	return name;
}

#include "common/crypto/jws_make.h"

#include <jwt.h>
#include <limits.h>

OWN_DEFINE(jwt, jwt_t *, NULL, jwt_free)

static bool
fill(jwt_t *t, struct str key, const struct jws_claim *claims, int nclaims, int64_t expires_s)
{
	if (key.n > INT_MAX
	    || jwt_set_alg(t, JWT_ALG_HS256, (const unsigned char *)key.p, (int)key.n) != 0)
		return false;
	for (int i = 0; i < nclaims; i++)
		if (jwt_add_grant(t, claims[i].name, claims[i].value) != 0)
			return false;
	return jwt_add_grant_int(t, "exp", expires_s) == 0;
}

enum err_code
jws_make(struct str key, const struct jws_claim *claims, int nclaims, int64_t expires_s,
    struct buf *out, struct err *e)
{
	AUTO(jwt) jwt_t *t = NULL;
	AUTO(str) char *text = NULL;

	if (jwt_new(&t) == 0 && fill(t, key, claims, nclaims, expires_s))
		text = jwt_encode_str(t);
	if (text == NULL)
		return err_set(e, ERR_INTERNAL, "libjwt could not make a token");
	buf_add_c(out, text);
	return ERR_OK;
}

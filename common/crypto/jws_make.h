/*
 * jws_make - a compact JWS, signed with HS256, for others to carry and for us to see again.
 *
 * Use:      jws_make() with text claims and an end; jws_verify() when it comes back.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   INTERNAL: libjwt could not.
 * Not for:  verifying: libjwt parses before it checks (jws.h does not).
 */
#ifndef CTI_JWS_MAKE_H
#define CTI_JWS_MAKE_H

#include "common/base/buf.h"
#include "common/base/err.h"

struct jws_claim {
	const char *name, *value;
};

/* `expires_s` (since 1970) becomes the claim exp. */
CTI_MUST_CHECK enum err_code jws_make(struct str key, const struct jws_claim *claims, int nclaims,
    int64_t expires_s, struct buf *out, struct err *e);

#endif

/*
 * jws - verify a compact JWS signed with HS256. Nothing is parsed before the signature holds.
 *
 * Use:      jws_verify() with one or more keys; the claims come back as the exact bytes signed.
 * Owns:     nothing; the claims go into the caller's buf.
 * Threads:  safe.
 * Errors:   UNAUTHORIZED for every token that is not genuine, whatever is wrong with it;
 *           TOO_LARGE when the claims exceed the buf's maximum.
 * Not for:  exp, audience or purpose: claims are the caller's to judge.
 * Source:   RFC 7515; the algorithm is pinned (none, RS256, HS384 and HS512 are refused).
 */
#ifndef CTI_JWS_H
#define CTI_JWS_H

#include "common/base/buf.h"
#include "common/base/err.h"

/*
 * `token` without outer white space. Keys are used as given and are never empty (asserted).
 * *which gets the index of the key that matched.
 */
CTI_MUST_CHECK enum err_code jws_verify(struct str token, const struct str *keys, int nkeys,
    int *which, struct buf *claims, struct err *e);

#endif

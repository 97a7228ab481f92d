/*
 * secrets - the keys a webhook may be signed with: the current one, and during a rotation the
 *           previous one.
 *
 * Use:      secrets_verify() with the route's origin; it counts which of the two matched, so that an
 *           admin sees when the old one is no longer used.
 * Owns:     nothing; the configuration's strings are borrowed.
 * Threads:  safe.
 * Errors:   UNAVAILABLE: no secret is configured for the route. Otherwise as jws_verify().
 */
#ifndef CTI_SECRETS_H
#define CTI_SECRETS_H

#include "common/conf/conf.h"
#include "common/dialpad/hook.h"

struct secrets {
	struct str master[2]; /* current, previous; STR_NONE where unset */
	struct str bare[2];
};

void secrets_init(struct secrets *s, const struct conf *c);

/* `hook` is NULL for the bare route. The claims go into `claims`. */
CTI_MUST_CHECK enum err_code secrets_verify(const struct secrets *s, const struct hook *hook,
    struct str token, struct buf *claims, struct err *e);

#endif

/*
 * link - an admin's invitation to connect Dialpad, as a signed text in a URL.
 *
 * Use:      link_make() for an admin, link_check() when somebody follows it.
 * Owns:     nothing.
 * Threads:  pure but for the clock.
 * Errors:   check: FORBIDDEN, saying what is wrong with it.
 * Not for:  anything but /auth/dialpad/connect: the key is derived for it alone, from API_KEY_PEPPER,
 *           so that all replicas agree.
 */
#ifndef CTI_APID_OAUTH_LINK_H
#define CTI_APID_OAUTH_LINK_H

#include "apid/access/pepper.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

CTI_MUST_CHECK enum err_code link_make(const struct pepper *pepper, struct uuid app_id,
    int64_t expires_s, struct buf *out, struct err *e);
CTI_MUST_CHECK enum err_code link_check(
    const struct pepper *pepper, struct uuid app_id, struct str link, struct err *e);

#endif

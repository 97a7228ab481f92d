/*
 * signed_pass - tickets and live tokens as text: signed claims with an end.
 *
 * Use:      signed_pass_make() when one is given out, signed_pass_read() when one is shown.
 * Owns:     nothing.
 * Threads:  pure but for the clock.
 * Errors:   read: false for whatever is not genuine, of this kind, and in time.
 * Not for:  whether it was used or revoked: the database knows (access.h).
 *
 * libjwt makes them; they are read by the function that verifies webhooks, which parses nothing
 * before the signature holds. Each kind has a key of its own, derived from API_KEY_PEPPER, so that
 * all replicas agree and none passes for another.
 */
#ifndef CTI_APID_LIVE_SIGNED_PASS_H
#define CTI_APID_LIVE_SIGNED_PASS_H

#include "apid/access/pepper.h"
#include "common/base/buf.h"
#include "common/base/uuid.h"
#include "common/crypto/api_key.h"

enum signed_kind { SIGNED_TICKET, SIGNED_LIVE_TOKEN };

struct signed_pass {
	struct uuid app_id;
	char id[UUID_TEXT_BYTES];
	char key_id[API_KEY_ID_MAX_CHARS + 1]; /* that asked for the ticket; "" of a token */
	int64_t expires_s;                     /* since 1970 */
};

CTI_MUST_CHECK enum err_code signed_pass_make(const struct pepper *pepper, enum signed_kind kind,
    const struct signed_pass *p, struct buf *out, struct err *e);
bool signed_pass_read(
    const struct pepper *pepper, enum signed_kind kind, struct str text, struct signed_pass *out);

#endif

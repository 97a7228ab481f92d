/*
 * hook - the webhook URL of a tenant and the secret derived for it.
 *
 * Use:      apid and workerd show and provision it, ingestd verifies with it; no table is needed.
 *           Path: /webhooks/dialpad/{app_id}/{hook}, the app id in lower case, the hook's number
 *           in decimal without a leading zero, starting at 1. Any other spelling is no hook.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   hook_parse: false.
 * Not for:  the bare route, whose secret is configured.
 *
 * secret = base64url(HMAC-SHA256(master key, "cti-hook-v1|<app id>|<hook>")), no padding: a right
 * signature proves that we issued the URL. A test vector stands in docs/architecture.md.
 */
#ifndef CTI_HOOK_H
#define CTI_HOOK_H

#include "common/base/buf.h"
#include "common/base/uuid.h"

enum { HOOK_SECRET_BYTES = 44, HOOK_FINGERPRINT_BYTES = 17 }; /* with the NUL */

struct hook {
	struct uuid app_id;
	int32_t number; /* 1 … */
};

bool hook_parse(struct str app_id, struct str number, struct hook *out);

/* "/webhooks/dialpad/{app_id}/{hook}" */
void hook_path(struct hook h, struct buf *out);

/* `master_key` is used as given. Wipe `out` after use. */
void hook_secret(struct str master_key, struct hook h, char out[HOOK_SECRET_BYTES]);

/* Tells two master keys apart without revealing either: 16 hex digits. */
void hook_fingerprint(struct str master_key, char out[HOOK_FINGERPRINT_BYTES]);

#endif

/*
 * hook_set - the webhooks and subscriptions at Dialpad that are one app's, and no others.
 *
 * Use:      hook_set_load(), then change what should be different; hook_set_trim() removes the rest.
 * Owns:     all of it lives in the caller's arena, secrets included: arena_wipe() it.
 * Threads:  safe.
 * Errors:   as dialpad_api.h.
 * Not for:  deciding what there should be.
 *
 * An app's is a webhook whose URL is one of the app's hooks on this server, or that is remembered by
 * its id; and a subscription that leads to such a webhook, or is remembered. What others made in the same company is
 * not looked at.
 */
#ifndef CTI_HOOK_SET_H
#define CTI_HOOK_SET_H

#include "common/base/uuid.h"
#include "common/dialpad/dialpad_hooks.h"

/* What is remembered of an app's; ids that are not known are 0. */
struct hook_owner {
	struct uuid app_id;
	struct str base_url; /* PUBLIC_INGEST_URL; slashes at its end do not count */
	int64_t webhook_id;
	int64_t sub_id[DIALPAD_SUB_KINDS];
};

struct hook_set {
	struct dialpad_webhook *hooks;
	int nhooks;
	struct dialpad_sub *subs[DIALPAD_SUB_KINDS];
	int nsubs[DIALPAD_SUB_KINDS];
};

/* "https://host/webhooks/dialpad/<app>/": the number of a hook follows. */
void hook_set_prefix(const struct hook_owner *o, struct buf *out);

CTI_MUST_CHECK enum err_code hook_set_load(struct dialpad_api *api, struct str token,
    const struct hook_owner *o, struct arena *a, struct hook_set *out, struct err *e);

/* Deletes all but these at Dialpad (ids; 0: none), subscriptions first: they outlive their webhook.
 * *removed counts what was deleted, also when it fails. */
struct hook_keep {
	int64_t webhook_id;
	int64_t sub_id[DIALPAD_SUB_KINDS];
};
CTI_MUST_CHECK enum err_code hook_set_trim(struct dialpad_api *api, struct str token,
    const struct hook_set *s, const struct hook_keep *keep, int *removed, struct err *e);

#endif

/*
 * dialpad_hooks - the endpoints of webhooks and event subscriptions.
 *
 * Use:      from hook_set.h, which knows which of them are an app's.
 * Owns:     lists and texts live in the caller's arena; it holds secrets, so arena_wipe() it.
 * Threads:  safe.
 * Errors:   as dialpad_api.h. A deletion of what is gone already is a success.
 * Not for:  deciding what there should be.
 *
 * Dialpad echoes a webhook's secret in each answer: none of this is ever logged.
 */
#ifndef CTI_DIALPAD_HOOKS_H
#define CTI_DIALPAD_HOOKS_H

#include "common/dialpad/dialpad_api.h"

struct dialpad_webhook {
	int64_t id;        /* 0: not made yet */
	struct str url;    /* STR_NONE: not told */
	struct str secret; /* likewise */
};

enum dialpad_sub_kind { DIALPAD_SUB_CALL, DIALPAD_SUB_SMS, DIALPAD_SUB_KINDS };

struct dialpad_sub {
	enum dialpad_sub_kind kind;
	int64_t id;
	int64_t webhook_id; /* 0: of none that exists */
	bool is_whole;      /* of the whole company, not of one target */
	bool is_complete;   /* enabled, and tells all that dialpad_subs_put() asks for */
};

const char *dialpad_sub_name(enum dialpad_sub_kind kind); /* "call", "sms" */

/* Arrays of up to DIALPAD_MAX_HOOKS; UPSTREAM beyond. */
enum { DIALPAD_MAX_HOOKS = 1000 };
CTI_MUST_CHECK enum err_code dialpad_webhooks_list(struct dialpad_api *api, struct str token,
    struct arena *a, struct dialpad_webhook **out, int *n, struct err *e);
CTI_MUST_CHECK enum err_code dialpad_subs_list(struct dialpad_api *api, struct str token,
    enum dialpad_sub_kind kind, struct arena *a, struct dialpad_sub **out, int *n, struct err *e);

/* A webhook without an id is made, one with an id is changed to this; `hook->id` is filled in. */
CTI_MUST_CHECK enum err_code dialpad_webhooks_put(
    struct dialpad_api *api, struct str token, struct dialpad_webhook *hook, struct err *e);

/* The same for a subscription, for all events of its kind in the company, to its webhook. */
CTI_MUST_CHECK enum err_code dialpad_subs_put(
    struct dialpad_api *api, struct str token, struct dialpad_sub *sub, struct err *e);

CTI_MUST_CHECK enum err_code dialpad_webhooks_delete(
    struct dialpad_api *api, struct str token, int64_t id, struct err *e);
CTI_MUST_CHECK enum err_code dialpad_subs_delete(struct dialpad_api *api, struct str token,
    enum dialpad_sub_kind kind, int64_t id, struct err *e);

#endif

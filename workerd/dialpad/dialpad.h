/*
 * dialpad - what workerd needs to talk to Dialpad on behalf of the apps: client, keys, tokens.
 *
 * Use:      dialpad_start() before the threads, dialpad_abort() when they are to end, dialpad_stop()
 *           when they have. A job finds it in its options, and asks dialpad_is_set() first.
 * Owns:     the client's connections and the keys, which are wiped.
 * Threads:  read-only after start.
 * Errors:   INVALID: an option.
 * Not for:  ingestd and apid.
 */
#ifndef CTI_WORKERD_DIALPAD_H
#define CTI_WORKERD_DIALPAD_H

#include "common/dialpad/dp_token.h"

struct dialpad {
	struct dialpad_api *api;
	struct seal_keys keys;
	struct dp_tokens tokens;
};

/* `db`: a direct connection; borrowed, as is `c`. */
CTI_MUST_CHECK enum err_code dialpad_start(
    struct dialpad *d, const struct conf *c, const struct db_opts *db, struct err *e);
void dialpad_abort(struct dialpad *d);
void dialpad_stop(struct dialpad *d); /* one that was not started, all zero, is allowed */

/* Are the client and the key of the tokens set? Else nothing can be done at Dialpad. */
bool dialpad_is_set(const struct dialpad *d);

/*
 * Runs `fn` with the app's token; once more, with a new one, where Dialpad refuses the first (401).
 * Fails as dp_token_get(), or as fn. CONFLICT is a matter of the connection alone: what Dialpad
 * answers 4xx to becomes UPSTREAM.
 */
typedef enum err_code (*dialpad_fn)(struct str token, void *arg, struct err *e);
CTI_MUST_CHECK enum err_code dialpad_with_token(struct dialpad *d, struct db_conn *c,
    struct uuid app_id, dialpad_fn fn, void *arg, struct err *e);

#endif

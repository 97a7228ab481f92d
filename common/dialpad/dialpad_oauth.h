/*
 * dialpad_oauth - Dialpad's OAuth: where to send a browser, and what its token endpoint gives.
 *
 * Use:      dialpad_authorize_url() to begin, dialpad_exchange() with the code that came back,
 *           dialpad_refresh() later, dialpad_deauthorize() to end it.
 * Owns:     tokens are the caller's: dialpad_tokens_release() overwrites them.
 * Threads:  safe.
 * Errors:   as dialpad_api.h. UPSTREAM also for tokens that could not be sent in a header.
 * Not for:  storing tokens (dp_token.h).
 */
#ifndef CTI_DIALPAD_OAUTH_H
#define CTI_DIALPAD_OAUTH_H

#include "common/dialpad/dialpad_api.h"

enum { DIALPAD_MAX_TOKEN_BYTES = 16 * 1024, DIALPAD_MAX_SCOPE_BYTES = 4096 };

struct dialpad_tokens {
	struct buf access;
	struct buf refresh;   /* empty: none was given */
	int64_t expires_in_s; /* 0: not told, so it does not expire */
	struct buf scope;     /* what was granted, as Dialpad puts it; empty: what was asked for */
};

void dialpad_tokens_init(struct dialpad_tokens *t);
void dialpad_tokens_release(struct dialpad_tokens *t);

/* What refused a request of the token endpoint. */
struct dialpad_refusal {
	int status; /* 0: there was no answer */
	char error[DIALPAD_ERROR_BYTES];
};

/* With PKCE S256. The state and the challenge are texts that need no encoding. */
void dialpad_authorize_url(
    const struct dialpad_api *api, const char *state, const char *challenge, struct buf *out);

/* *t was initialised; it is filled on success only. *why is filled in either case. */
CTI_MUST_CHECK enum err_code dialpad_exchange(struct dialpad_api *api, struct str code,
    struct str verifier, struct dialpad_tokens *t, struct dialpad_refusal *why, struct err *e);

/* Runs to its end, whatever else is aborted: Dialpad may have made the old token worthless. */
CTI_MUST_CHECK enum err_code dialpad_refresh(struct dialpad_api *api, struct str refresh_token,
    struct dialpad_tokens *t, struct dialpad_refusal *why, struct err *e);

/* Takes back every token that our app has of this user. UNAUTHORIZED: they were worthless already. */
CTI_MUST_CHECK enum err_code dialpad_deauthorize(
    struct dialpad_api *api, struct str access_token, struct err *e);

#endif

/*
 * dp_token - a token of Dialpad that is valid now, for any app, in any process.
 *
 * Use:      dp_token_get() before a request to Dialpad; dp_token_refused() when Dialpad answered it 401.
 *           dp_token_refresh_due() is the job's.
 * Owns:     nothing; a token that is handed out is the caller's to wipe.
 * Threads:  safe, each with its own connection, which is not in a transaction.
 * Errors:   CONFLICT: there is none until a person connects Dialpad (again); the message says why.
 *           NOT_FOUND: the app was never connected. UNAVAILABLE: not now; UNCERTAIN, TIMEOUT: from the
 *           database. INTERNAL: a sealed value does not open (wrong TOKEN_ENCRYPTION_KEY).
 * Not for:  roles that may not read tokens: only workerd's and the admins' may.
 *
 * A refresh makes the old refresh token worthless, so of all processes one at a time may do it: the
 * row of the connection is locked, read again, and the new pair is committed before anybody gets it.
 * The lock is held during the request, 8 s at most. A pair that could not be committed because the
 * connection to the database broke is stored over another one.
 *
 * What cannot succeed is not repeated: Dialpad's refusal (4xx) makes the connection needs_reconnect.
 * After anything else (no answer, 429, 5xx, our own client refused) the next attempt waits, 5 s at
 * first and twice as long each time, up to an hour; an access token that has not expired yet is given out
 * meanwhile. After a lost answer, or a crash right after it, the old refresh token is sent again once:
 * Dialpad then takes it, or refuses it for good.
 */
#ifndef CTI_DP_TOKEN_H
#define CTI_DP_TOKEN_H

#include "common/crypto/seal.h"
#include "common/db/db.h"
#include "common/dialpad/dialpad_api.h"

/* The purposes of sealed values: columns of dialpad_connections. */
#define DP_ACCESS_TOKEN "access_token"
#define DP_REFRESH_TOKEN "refresh_token"

struct dp_tokens {
	struct dialpad_api *api;
	const struct seal_keys *keys;
	const char *environment; /* "sandbox", "production" */
	struct db_opts db;       /* for a connection, when the caller's breaks */
};

void dp_token_declare_metrics(void); /* at start, so that they are shown at zero */

/* Appends the access token to *token. */
CTI_MUST_CHECK enum err_code dp_token_get(const struct dp_tokens *t, struct db_conn *c,
    struct uuid app_id, struct buf *token, struct err *e);

/*
 * Dialpad does not accept this token (any more). The next dp_token_get() refreshes it, unless that
 * has been done already; where it cannot, or Dialpad refuses even a token of the last minute, the
 * connection becomes needs_reconnect.
 */
CTI_MUST_CHECK enum err_code dp_token_refused(const struct dp_tokens *t, struct db_conn *c,
    struct uuid app_id, struct str token, struct err *e);

/* Refreshes this app's token if it is due: ten minutes before its end, or at half its life. */
CTI_MUST_CHECK enum err_code dp_token_refresh_due(
    const struct dp_tokens *t, struct db_conn *c, struct uuid app_id, struct err *e);

/* Up to `limit` app ids behind `after` whose tokens are due, in order. */
CTI_MUST_CHECK enum err_code dp_token_list_due(const struct dp_tokens *t, struct db_conn *c,
    struct uuid after, int64_t limit, struct db_result *out, struct err *e);

#endif

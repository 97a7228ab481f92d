/*
 * keys_db - API keys in the database, as admins make, list and revoke them.
 *
 * Use:      from the handlers in keys.c.
 * Owns:     nothing; results are the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app or key; UNAVAILABLE and TIMEOUT from the database; see
 *           keys_db_create for others.
 * Not for:  the key itself, which the database never sees; who a key belongs to (access/keyring.h).
 */
#ifndef CTI_APID_KEYS_DB_H
#define CTI_APID_KEYS_DB_H

#include "common/crypto/hmac.h"
#include "common/db/db.h"
#include "common/http/http.h"

enum { KEYS_MAX_LIVE = 2 }; /* of one app: the second is for changing over */

struct new_key {
	struct uuid app_id;
	struct str key_id, name, hint; /* name may be STR_NONE */
	unsigned char hash[HMAC_BYTES];
	int64_t expires_in_days; /* 0: never */
	struct str replaces;     /* the id of a live key, or STR_NONE */
	int64_t overlap_hours;   /* how long that one stays good */
	/* Filled in: */
	int64_t created_at, expires_at; /* ms since 1970; expires_at 0: never */
};

/* CONFLICT, naming the keys: the app has KEYS_MAX_LIVE already, the replaced one not counted.
 * INVALID: `replaces` is no live key of this app. */
CTI_MUST_CHECK enum err_code keys_db_create(
    const struct http_req *req, struct new_key *key, struct err *e);

struct key_row {
	struct str key_id, name, hint, state; /* borrowed; the state is live, expired or revoked */
	int64_t created_at, last_used_at, expires_at, revoked_at; /* 0: none */
};

void keys_db_read(const struct db_result *r, int row, struct key_row *out);

/* All that ever were, newest first. */
CTI_MUST_CHECK enum err_code keys_db_list(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e);

/* Of one that was revoked before nothing changes. *out gets the row. */
CTI_MUST_CHECK enum err_code keys_db_revoke(const struct http_req *req, struct uuid app_id,
    struct str key_id, struct db_result *out, struct err *e);

#endif

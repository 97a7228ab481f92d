/*
 * keys_db - API keys in the database: whose is this one, and make another.
 *
 * Use:      keys_db_find_owner() for each request of a client; keys_db_create() for an admin.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   UNAVAILABLE and TIMEOUT from the database; see keys_db_create for others.
 * Not for:  the key itself, which the database never sees.
 */
#ifndef CTI_APID_KEYS_DB_H
#define CTI_APID_KEYS_DB_H

#include "common/crypto/hmac.h"
#include "common/http/http.h"

enum { KEYS_MAX_LIVE = 2 }; /* of one app: the second is for changing over */

struct key_owner {
	struct uuid app_id;
	unsigned char hash[HMAC_BYTES];
	bool is_live;   /* neither expired nor revoked, and the app was not deleted */
	bool is_active; /* the app was not disabled */
};

/* *out is written when *found. */
CTI_MUST_CHECK enum err_code keys_db_find_owner(const struct http_req *req, struct str key_id,
    struct key_owner *out, bool *found, struct err *e);

struct new_key {
	struct uuid app_id;
	struct str key_id, name, hint; /* name may be STR_NONE */
	unsigned char hash[HMAC_BYTES];
	int64_t expires_in_days; /* 0: never */
	/* Filled in: */
	int64_t created_at, expires_at; /* ms since 1970; expires_at 0: never */
};

/* NOT_FOUND: no such app. CONFLICT, naming the keys: the app has KEYS_MAX_LIVE already. */
CTI_MUST_CHECK enum err_code keys_db_create(
    const struct http_req *req, struct new_key *key, struct err *e);

#endif

/*
 * token_db - live tokens in the database.
 *
 * Use:      from the handlers in token.c.
 * Owns:     nothing; results are the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app, or it has no such token that is still good.
 * Not for:  letting somebody in (access.h). The token itself, which the database never sees.
 */
#ifndef CTI_APID_LIVE_TOKEN_DB_H
#define CTI_APID_LIVE_TOKEN_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

struct new_token {
	struct uuid app_id;
	char id[UUID_TEXT_BYTES];
	const struct db_array *origins; /* of DB_TEXT */
	int64_t expires_in_days;
	/* Filled in: */
	int64_t created_at, expires_at; /* ms since 1970 */
};

CTI_MUST_CHECK enum err_code token_db_create(
    const struct http_req *req, struct new_token *t, struct err *e);

/* Of the app, newest first; columns as below. */
enum {
	TOKEN_ID,
	TOKEN_ORIGINS, /* JSON array */
	TOKEN_CREATED_AT,
	TOKEN_EXPIRES_AT,
	TOKEN_REVOKED_AT,
	TOKEN_LAST_USED_AT,
};
CTI_MUST_CHECK enum err_code token_db_list(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e);

CTI_MUST_CHECK enum err_code token_db_revoke(
    const struct http_req *req, struct uuid app_id, struct str token_id, struct err *e);

#endif

/*
 * dp_token_db - the row of dialpad_connections, as far as tokens are concerned.
 *
 * Use:      private to dp_token.c.
 * Owns:     nothing; results are the caller's, rows borrow from them.
 * Threads:  as the connection.
 * Errors:   from the database; NOT_FOUND: the app was never connected.
 * Not for:  anybody else.
 */
#ifndef CTI_DP_TOKEN_DB_H
#define CTI_DP_TOKEN_DB_H

#include "common/db/db.h"

/* The instants are compared by the database, whose clock set them. */
struct dp_token_row {
	struct str state, environment, last_error;
	struct str access, refresh; /* sealed; STR_NONE: none */
	bool expired;               /* at this moment */
	bool expiring;              /* within the next 30 s */
	bool due;                   /* to be refreshed ahead of time */
	bool paused;                /* an attempt failed, the next one has to wait */
	bool new_token;             /* given by Dialpad within the last minute */
};

/* `lock`: inside a transaction, until its end. */
CTI_MUST_CHECK enum err_code dp_token_db_read(struct db_conn *c, struct uuid app_id, bool lock,
    struct db_result *r, struct dp_token_row *out, struct err *e);

struct dp_token_pair {
	struct str access, refresh; /* sealed; refresh STR_NONE: keep the one there is */
	int64_t expires_in_s;       /* 0: never */
	struct str replaces;        /* the sealed refresh token that it was got with */
};

/* CONFLICT: another pair has taken the place of the replaced one. */
CTI_MUST_CHECK enum err_code dp_token_db_store(
    struct db_conn *c, struct uuid app_id, const struct dp_token_pair *pair, struct err *e);

CTI_MUST_CHECK enum err_code dp_token_db_note_failure(
    struct db_conn *c, struct uuid app_id, const char *reason, struct err *e);
CTI_MUST_CHECK enum err_code dp_token_db_give_up(
    struct db_conn *c, struct uuid app_id, const char *reason, struct err *e);
CTI_MUST_CHECK enum err_code dp_token_db_expire(
    struct db_conn *c, struct uuid app_id, struct err *e);

CTI_MUST_CHECK enum err_code dp_token_db_list_due(struct db_conn *c, const char *environment,
    struct uuid after, int64_t limit, struct db_result *out, struct err *e);

#endif

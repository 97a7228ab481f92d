/*
 * hooks_db - an app's hooks, as admins see and change them.
 *
 * Use:      from the handlers of /internal/apps/{id}/webhook.
 * Owns:     results are the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app. The rest from the database.
 * Not for:  talking to Dialpad: that is workerd's.
 */
#ifndef CTI_APID_HOOKS_DB_H
#define CTI_APID_HOOKS_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

enum {
	HOOK_NUMBER,
	HOOK_STATE, /* current, retired */
	HOOK_FINGERPRINT,
	HOOK_WEBHOOK_ID,
	HOOK_SUBSCRIPTIONS, /* JSON array, or null */
	HOOK_DRIFT,         /* likewise */
	HOOK_CHECKED_AT,
	HOOK_LAST_ERROR,
	HOOK_RETIRED_AT,
	HOOK_CREATED_AT,
	HOOK_CONNECTION,  /* the connection's state; null: never connected */
	HOOK_NEXT_CHECK,  /* when workerd looks again; null: it will not */
	HOOK_CHECK_ERROR, /* what its last look failed with */
};

/* Rows of these columns, the newest hook first; one row with a null NUMBER: none was made. */
CTI_MUST_CHECK enum err_code hooks_db_list(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e);

/* workerd shall look after it now. */
CTI_MUST_CHECK enum err_code hooks_db_provision(
    const struct http_req *req, struct uuid app_id, struct err *e);

/* A next hook becomes the newest. */
CTI_MUST_CHECK enum err_code hooks_db_rotate(
    const struct http_req *req, struct uuid app_id, struct str key_fingerprint, struct err *e);

/* Inside an admin's transaction: that alone. *number is the new hook's. */
CTI_MUST_CHECK enum err_code hooks_db_add(struct db_conn *c, struct uuid app_id,
    struct str key_fingerprint, int64_t *number, struct err *e);

#endif

/*
 * apps_db - tenants in the database, as admins see them.
 *
 * Use:      from the handlers of /internal/apps. Deleted apps and the reserved nil one are unknown.
 * Owns:     nothing; results are the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND; UNAVAILABLE and TIMEOUT from the database.
 * Not for:  the rows of tenants.
 */
#ifndef CTI_APID_APPS_DB_H
#define CTI_APID_APPS_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

struct app_row {
	struct uuid app_id;
	struct str name; /* borrowed from the result */
	bool is_active, accepts_bare;
	struct str allowed_return_urls, allowed_origins; /* JSON arrays; likewise */
	int64_t created_at, updated_at;                  /* ms since 1970 */
};

#define APPS_DB_COLUMNS                                                        \
	"app_id, name, is_active, accepts_bare, to_json(allowed_return_urls)," \
	" to_json(allowed_origins), created_at, updated_at"

/* A row of these columns. */
void apps_db_read(const struct db_result *r, int row, struct app_row *out);

/* All of them, oldest first. */
CTI_MUST_CHECK enum err_code apps_db_list(
    const struct http_req *req, struct db_result *out, struct err *e);
CTI_MUST_CHECK enum err_code apps_db_get(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e);

struct new_app {
	struct str name;
	const struct db_array *return_urls, *origins; /* of DB_TEXT */
	struct str key_fingerprint; /* of the master key; STR_NONE: no hook can be made */
};

/* The app, its head and its first hook. *out gets the row. */
CTI_MUST_CHECK enum err_code apps_db_create(
    const struct http_req *req, const struct new_app *app, struct db_result *out, struct err *e);

struct app_changes {
	struct str name; /* STR_NONE: as it was; likewise all that follows without its has_… */
	bool has_active, is_active;
	bool has_bare, accepts_bare;
	bool has_return_urls, has_origins;
	const struct db_array *return_urls, *origins; /* never NULL */
	struct str detail;                            /* what was asked for, for the audit: JSON */
};

CTI_MUST_CHECK enum err_code apps_db_change(const struct http_req *req, struct uuid app_id,
    const struct app_changes *changes, struct db_result *out, struct err *e);

/* INVALID: `name` is not the app's name. */
CTI_MUST_CHECK enum err_code apps_db_confirm(
    const struct http_req *req, struct uuid app_id, struct str name, struct err *e);

/* The app is unknown from now on and its keys are dead; workerd deletes its data. INVALID as before. */
CTI_MUST_CHECK enum err_code apps_db_delete(
    const struct http_req *req, struct uuid app_id, struct str name, struct err *e);

/* Inside an admin's transaction: NOT_FOUND unless the app exists. */
CTI_MUST_CHECK enum err_code apps_db_check(struct db_conn *c, struct uuid app_id, struct err *e);

/* What `stmt`, whose only parameter is the app's id, says of it, in a transaction of its own. NOT_FOUND
 * as above. */
CTI_MUST_CHECK enum err_code apps_db_tell(const struct http_req *req, struct uuid app_id,
    const struct db_stmt *stmt, struct db_result *out, struct err *e);

/* As apps_db_check(), and holds the app until COMMIT. *out, which may be NULL, gets the row. */
CTI_MUST_CHECK enum err_code apps_db_lock(
    struct db_conn *c, struct uuid app_id, struct db_result *out, struct err *e);

#endif

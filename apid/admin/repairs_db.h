/*
 * repairs_db - repairs of an app's calls: asked for, and how they went.
 *
 * Use:      from the handlers of /internal/apps/{id}/repair.
 * Owns:     results are the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app. CONFLICT: Dialpad is not connected. The rest from the database.
 * Not for:  repairing: that is workerd's.
 */
#ifndef CTI_APID_REPAIRS_DB_H
#define CTI_APID_REPAIRS_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

/* Calls that began within [from, to], ms since 1970. */
CTI_MUST_CHECK enum err_code repairs_db_ask(
    const struct http_req *req, struct uuid app_id, int64_t from, int64_t to, struct err *e);

enum {
	REPAIR_FROM, /* ms */
	REPAIR_TO,   /* ms */
	REPAIR_REASON,
	REPAIR_ASKED_AT,
	REPAIR_FINISHED_AT,
	REPAIR_NEXT_AT, /* null: it is done */
	REPAIR_LAST_ERROR,
	REPAIR_RESULT, /* JSON */
};

/* The last hundred, the newest first. */
CTI_MUST_CHECK enum err_code repairs_db_list(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e);

#endif

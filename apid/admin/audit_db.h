/*
 * audit_db - one line in the admins' audit for each thing they change.
 *
 * Use:      audit_write() in the transaction that makes the change; audit_list() for an admin.
 * Owns:     nothing.
 * Threads:  as the connection.
 * Errors:   from the database; audit_list: NOT_FOUND.
 * Not for:  secrets, in any member.
 */
#ifndef CTI_APID_AUDIT_DB_H
#define CTI_APID_AUDIT_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

struct audit_line {
	struct uuid app_id;
	const char *action; /* "app.created" */
	struct str target;  /* what was acted on; STR_NONE: the app itself */
	struct str detail;  /* a JSON object, or STR_NONE */
};

CTI_MUST_CHECK enum err_code audit_write(
    struct db_conn *c, const struct http_req *req, const struct audit_line *line, struct err *e);

enum { AUDIT_ID, AUDIT_AT, AUDIT_ACTOR, AUDIT_ACTION, AUDIT_TARGET, AUDIT_DETAIL, AUDIT_REQUEST };

/* Up to `limit` lines older than the line `before` (INT64_MAX: from the newest), newest first, as
 * rows of these columns. An app that was deleted is known here. */
CTI_MUST_CHECK enum err_code audit_list(const struct http_req *req, struct uuid app_id,
    int64_t before, int64_t limit, struct db_result *out, struct err *e);

#endif

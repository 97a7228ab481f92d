/*
 * audit_db - one line in the admins' audit for each thing they change.
 *
 * Use:      audit_write() in the transaction that makes the change.
 * Owns:     nothing.
 * Threads:  as the connection.
 * Errors:   from the database.
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
};

CTI_MUST_CHECK enum err_code audit_write(
    struct db_conn *c, const struct http_req *req, const struct audit_line *line, struct err *e);

#endif

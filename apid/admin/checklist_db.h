/*
 * checklist_db - how far an app has come, in one row.
 *
 * Use:      from GET /internal/apps/{id}/setup.
 * Owns:     the result is the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app. The rest from the database.
 * Not for:  details: each has a route of its own.
 */
#ifndef CTI_APID_CHECKLIST_DB_H
#define CTI_APID_CHECKLIST_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

enum {
	CHECK_IS_ACTIVE,
	CHECK_KEYS,       /* live ones */
	CHECK_CONNECTION, /* state; null: never */
	CHECK_ENVIRONMENT,
	CHECK_COMPANY,
	CHECK_REASON,  /* why not connected, if that is known */
	CHECK_SCOPES,  /* needed and not granted, as text; empty: none */
	CHECK_HOOK_OK, /* Dialpad has webhook and subscriptions, and they were checked */
	CHECK_HOOK_ERROR,
	CHECK_LAST_EVENT, /* of a hook, in the last week */
	CHECK_ALARMS,     /* JSON array of their names */
};

CTI_MUST_CHECK enum err_code checklist_db_get(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e);

#endif

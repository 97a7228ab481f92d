/*
 * connection_db - the bond of an app with a company of Dialpad, made or renewed.
 *
 * Use:      connection_db_save() in the callback, once everything is known.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   CONFLICT: the app belongs to another company. FORBIDDEN: it would replace an admin's token
 *           by somebody else's, or the app was disabled. NOT_FOUND: it was deleted. The rest from the
 *           database.
 * Not for:  disconnecting.
 *
 * In one transaction: the row of dialpad_connections, a line of the audit, and a row in `jobs` of the
 * kind "provision" for the app, due now (job_key empty, attempts 0), by which workerd makes Dialpad's
 * webhook and subscriptions as they should be.
 */
#ifndef CTI_APID_OAUTH_CONNECTION_DB_H
#define CTI_APID_OAUTH_CONNECTION_DB_H

#include "apid/oauth/account.h"

struct connection_saved {
	struct str app_name; /* in the request's arena */
};

CTI_MUST_CHECK enum err_code connection_db_save(struct http_req *req, struct uuid app_id,
    const struct account *a, struct connection_saved *out, struct err *e);

/* Who connected, for people: the e-mail address, else the name, else the id. In the arena. */
struct str connection_person(struct http_req *req, const struct account *a);

/* The tokens end and cannot be refreshed; STR_NONE: all is well. */
struct str connection_flaw(const struct account *a);

#endif

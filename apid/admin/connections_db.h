/*
 * connections_db - an app's bond with Dialpad, as admins see and change it.
 *
 * Use:      from the handlers of /internal/apps/{id}/connection, …/disconnect, …/connect-link.
 * Owns:     results are the caller's; opened tokens too, to be wiped.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app, or none connected. The rest from the database.
 * Not for:  making a connection (apid/oauth).
 */
#ifndef CTI_APID_CONNECTIONS_DB_H
#define CTI_APID_CONNECTIONS_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

enum {
	CONNECTION_STATE,
	CONNECTION_ENVIRONMENT,
	CONNECTION_ORG_ID,
	CONNECTION_COMPANY,
	CONNECTION_CONNECTED_AT,
	CONNECTION_CONNECTED_BY,
	CONNECTION_BY_ADMIN,
	CONNECTION_SCOPES, /* JSON array */
	CONNECTION_LAST_ERROR,
	CONNECTION_EXPIRES_AT,
	CONNECTION_HAS_REFRESH_TOKEN,
	CONNECTION_LAST_REFRESH_AT,
	CONNECTION_REFRESH_FAILURES,
	CONNECTION_INVITED_AT,
};

/* A row of these columns; all but INVITED_AT are null when the app was never connected. */
CTI_MUST_CHECK enum err_code connections_db_get(
    const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e);

/* The sealed tokens as they were at the end. */
struct connection_tokens {
	struct str access, refresh; /* sealed; STR_NONE: none. Borrowed from the result */
	bool is_shared;             /* the same person's login serves another app, too */
};

/* Disconnects: from here on nobody gets a token. Waits for a refresh under way, so these are the last
 * ones. With `forget_company` the company goes too, and its hooks: what still comes by them is not
 * the next one's. */
CTI_MUST_CHECK enum err_code connections_db_end(const struct http_req *req, struct uuid app_id,
    bool forget_company, struct db_result *r, struct connection_tokens *out, struct err *e);

/* The app may be connected by its id alone again, for CONNECT_WINDOW_HOURS. NOT_FOUND. */
CTI_MUST_CHECK enum err_code connections_db_invite(
    const struct http_req *req, struct uuid app_id, struct err *e);

#endif

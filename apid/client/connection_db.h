/*
 * connection_db - what is known of an app's connection to Dialpad.
 *
 * Use:      connection_db_read() by the handler in connection.c.
 * Owns:     struct connection owns its rows until connection_release; text is borrowed from them.
 * Threads:  as the request.
 * Errors:   UNAVAILABLE and TIMEOUT from the database.
 * Not for:  connecting: these tables are written by the OAuth handlers and by workerd.
 */
#ifndef CTI_APID_CONNECTION_DB_H
#define CTI_APID_CONNECTION_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

struct connection {
	struct db_result bond; /* at most one row of enum connection_bond */
	struct db_result
	    hook; /* at most one row of enum connection_hook: the newest that is current */
	struct db_result event; /* one row: when the last event was received, or NULL */
};

#define CONNECTION_NONE       \
	((struct connection){ \
	    .bond = DB_RESULT_NONE, .hook = DB_RESULT_NONE, .event = DB_RESULT_NONE })

enum connection_bond {
	BOND_STATE,
	BOND_REASON,
	BOND_ENVIRONMENT,
	BOND_ORG_ID,
	BOND_COMPANY,
	BOND_CONNECTED_AT,
	BOND_CONNECTED_BY,
	BOND_SCOPES,         /* JSON: a list of texts */
	BOND_MISSING_SCOPES, /* the same */
};

enum connection_hook {
	HOOK_STATE,
	HOOK_URL,
	HOOK_SUBSCRIPTIONS, /* JSON: a list of {kind, state} */
};

/* *out must be CONNECTION_NONE. */
CTI_MUST_CHECK enum err_code connection_db_read(
    const struct http_req *req, struct connection *out, struct err *e);
void connection_release(struct connection *c);

#endif

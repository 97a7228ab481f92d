/*
 * requests_db - work that workerd is asked for: a row in `jobs`, and a word to begin at once.
 *
 * Use:      requests_ask() in the transaction that has reason to ask.
 * Owns:     nothing.
 * Threads:  as the connection.
 * Errors:   from the database.
 * Not for:  waiting until it is done.
 */
#ifndef CTI_APID_REQUESTS_DB_H
#define CTI_APID_REQUESTS_DB_H

#include "common/db/db.h"

/* `key` tells several requests of one kind apart, `params` is a JSON object; STR_NONE: neither. The same
 * request, asked again, begins anew. */
CTI_MUST_CHECK enum err_code requests_ask(struct db_conn *c, const char *kind, struct uuid app_id,
    struct str key, struct str params, struct err *e);

#endif

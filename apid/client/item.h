/*
 * item - one record by the {id} of its path: our UUID, or Dialpad's own id.
 *
 * Use:      item_find() with the record's statements, render, item_release().
 * Owns:     the result, until item_release; text of the record is borrowed from it.
 * Threads:  as the request.
 * Errors:   NOT_FOUND also when the id cannot be one, or is another tenant's.
 * Not for:  lists (list.h).
 */
#ifndef CTI_APID_ITEM_H
#define CTI_APID_ITEM_H

#include "common/db/db.h"
#include "common/http/http.h"
#include "common/records/record.h"

/* Statements take the tenant as $1 and the id as $2. */
struct item_kind {
	const struct record_kind *record;
	const struct db_stmt *by_id;         /* $2 is a uuid */
	const struct db_stmt *by_dialpad_id; /* $2 is a bigint */
};

struct item {
	struct record record;
	struct db_result row;
};

#define ITEM_NONE ((struct item){ .row = DB_RESULT_NONE })

/* *out must be ITEM_NONE. Takes no query parameters. */
CTI_MUST_CHECK enum err_code item_find(
    const struct http_req *req, const struct item_kind *kind, struct item *out, struct err *e);
void item_release(struct item *it);

#define ITEM_BY(column, key, columns, table) \
	"SELECT " key ", id" columns " FROM " table " WHERE app_id = $1 AND " column " = $2"

#endif

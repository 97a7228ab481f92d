/*
 * columns - a column of a row as a member of a JSON object, null where it is null.
 *
 * Use:      inside an object that is open.
 * Owns:     nothing.
 * Threads:  as the result.
 * Errors:   none.
 * Not for:  texts: jo_kv_str() does as well.
 */
#ifndef CTI_APID_COLUMNS_H
#define CTI_APID_COLUMNS_H

#include "common/db/db.h"
#include "common/json/json_out.h"

void column_time(const struct db_result *r, int row, int col, const char *name, struct json_out *j);
void column_i64(const struct db_result *r, int row, int col, const char *name, struct json_out *j);
void column_uuid(const struct db_result *r, int row, int col, const char *name, struct json_out *j);

#endif

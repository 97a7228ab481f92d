/*
 * columns - columns and rows of a result as JSON.
 *
 * Use:      column_…(): a member of an object that is open, null where the column is null.
 *           columns_list(): a whole answer, {"name":[row, row, …]}.
 * Owns:     nothing.
 * Threads:  as the result.
 * Errors:   none.
 * Not for:  texts and times (jo_kv_str and jo_kv_time do as well); records (common/records).
 */
#ifndef CTI_APID_COLUMNS_H
#define CTI_APID_COLUMNS_H

#include "common/db/db.h"
#include "common/json/json_out.h"

void column_i64(struct json_out *j, const char *name, const struct db_result *r, int row, int col);
void column_uuid(struct json_out *j, const char *name, const struct db_result *r, int row, int col);

/* JSON that the database keeps; null counts as `otherwise`. */
void column_json(struct json_out *j, const char *name, const struct db_result *r, int row, int col,
    struct str otherwise);

typedef void columns_render(const struct db_result *r, int row, struct json_out *j);

void columns_list(
    struct buf *out, const char *name, const struct db_result *r, columns_render *render);

#endif

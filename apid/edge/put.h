/*
 * put - columns of the database as members of a JSON object.
 *
 * Use:      put_time(j, "created_at", r, row, COL): RFC 3339, or null.
 * Owns:     nothing.
 * Threads:  as the writer.
 * Errors:   none.
 * Not for:  records of tenants (common/records).
 */
#ifndef CTI_APID_PUT_H
#define CTI_APID_PUT_H

#include "common/db/db.h"
#include "common/json/json_out.h"

void put_time(struct json_out *j, const char *key, const struct db_result *r, int row, int col);

/* JSON that the database keeps; null counts as `otherwise`. */
void put_json(struct json_out *j, const char *key, const struct db_result *r, int row, int col,
    struct str otherwise);

#endif

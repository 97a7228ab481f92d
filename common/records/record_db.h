/*
 * record_db - rows of results to records.
 *
 * Use:      the statement selects the id column, id, then the kind's columns in their order.
 * Owns:     nothing: text of the record is borrowed from the result.
 * Threads:  as the result.
 * Errors:   none.
 */
#ifndef CTI_RECORD_DB_H
#define CTI_RECORD_DB_H

#include "common/db/db.h"
#include "common/records/record.h"

/* `col` is where the id column stands in the row. */
void record_read(const struct record_kind *kind, const struct db_result *r, int row, int col,
    struct record *out);

/* The PostgreSQL type of a field. */
enum db_type record_db_type(enum record_type type);

#endif

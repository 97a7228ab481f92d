/*
 * records_db - records to and from their tables, a whole batch in one statement each.
 *
 * Use:      records_load() what exists, fold, records_save() what changed. Inside the transaction
 *           that holds the tenant's lock, so nobody else writes these rows.
 * Owns:     text of loaded rows is lent by the result given.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 */
#ifndef CTI_RECORDS_DB_H
#define CTI_RECORDS_DB_H

#include "common/db/db.h"
#include "workerd/fold/fold.h"

/* Fills each of rows[] whose r.dialpad_id is in the table; rows[] is sorted by it. loaded[i] tells. */
CTI_MUST_CHECK enum err_code records_load(struct db_conn *c, struct uuid app_id,
    const struct record_kind *kind, struct fold_row *rows, bool *loaded, int n, struct db_result *r,
    struct err *e);

/* Insert or overwrite. Rows are sorted by dialpad_id. */
CTI_MUST_CHECK enum err_code records_save(struct db_conn *c, struct uuid app_id,
    const struct record_kind *kind, const struct fold_row *const *rows, int n, struct arena *a,
    struct err *e);

#endif

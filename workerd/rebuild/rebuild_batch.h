/*
 * rebuild_batch - one transaction of a rebuild: fold some records again, write those that differ.
 *
 * Use:      rebuild_batch() from rebuild_page().
 * Owns:     nothing between calls.
 * Threads:  one connection, one thread; outside a transaction.
 * Errors:   as db.h; the transaction was rolled back and *report is as before. INVALID: an event of
 *           the log cannot be folded, which it names.
 *
 * A tenant is served by one at a time: the batch takes its mark and lock as a worker does
 * (tenant_db.h), after the batch under way. A dry run reads one snapshot and locks nobody out.
 */
#ifndef CTI_REBUILD_BATCH_H
#define CTI_REBUILD_BATCH_H

#include "workerd/rebuild/rebuild_db.h"
#include "workerd/rebuild/rebuild_report.h"

CTI_MUST_CHECK enum err_code rebuild_batch(struct db_conn *c, const struct rebuild_opts *o,
    const struct str *ids, int n, struct rebuild_report *report, struct err *e);

#endif

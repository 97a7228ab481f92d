/*
 * rebuild_walk - a rebuild, page by page, for whoever decides when to go on.
 *
 * Use:      rebuild_page() from STR("") on, until *last is STR_NONE.
 * Owns:     the last id of a page lives in the caller's arena.
 * Threads:  one connection, one thread; outside a transaction.
 * Errors:   as rebuild_batch.h; what earlier pages have written stays.
 *
 * After a page that writes it pauses, so that workers get the tenant between two.
 */
#ifndef CTI_REBUILD_WALK_H
#define CTI_REBUILD_WALK_H

#include "workerd/rebuild/rebuild_batch.h"

/* *last is the last id of the page before, and becomes the last of this one; STR_NONE: it was empty. */
CTI_MUST_CHECK enum err_code rebuild_page(struct db_conn *c, const struct rebuild_opts *o,
    struct arena *a, struct str *last, struct rebuild_report *report, struct err *e);

/* For rebuild_opts.records_from. Days as in RECORDS_RETENTION_DAYS. */
int64_t rebuild_oldest_kept_ms(int64_t retention_days);

#endif

/*
 * tenant_db - which tenant a worker serves next, and the mark that survives a worker's death.
 *
 * Use:      tenant_claim() in a statement of its own, then tenant_lock() inside the batch's
 *           transaction, then tenant_served() before its commit. tenant_release() when it failed.
 * Owns:     nothing.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 *
 * The mark is committed before the batch begins and cleared by its commit. Found set and old, it
 * means that the batch took its worker with it: batch_suspect() tells what to do with its events.
 * Its commit does not wait for the disk: it has to survive a worker, not the server.
 */
#ifndef CTI_TENANT_DB_H
#define CTI_TENANT_DB_H

#include "common/db/db.h"

struct tenant {
	struct uuid app_id;
	bool died;        /* a batch of this tenant killed its worker */
	bool has_retired; /* some of its hooks are retired */
};

enum { TENANT_STALE_MS = 1000 }; /* a mark this old belongs to no living worker */

/* The tenant that waited longest among those with due work that nobody else is serving. When there is
 * none, *due tells whether any event is due, whoever serves its tenant. */
CTI_MUST_CHECK enum err_code tenant_claim(
    struct db_conn *c, struct tenant *out, bool *found, bool *due, struct err *e);

/* This tenant, with or without due work; not found while somebody else is serving it. `wait`: the
 * end of a batch under way is waited for, and its tenant is ours next. With `died`, hand that to
 * tenant_served() as keep_mark: its events are still to be taken one by one. */
CTI_MUST_CHECK enum err_code tenant_claim_one(struct db_conn *c, struct uuid app_id, bool wait,
    struct tenant *out, bool *found, struct err *e);

/* False when another worker has it after all. */
CTI_MUST_CHECK enum err_code tenant_lock(
    struct db_conn *c, struct uuid app_id, bool *locked, struct err *e);
/* The same without waiting for the answer, see db_exec_later(): locked if *r has a row by then. */
CTI_MUST_CHECK enum err_code tenant_lock_later(
    struct db_conn *c, struct uuid app_id, struct db_result *r, struct err *e);

/* The tenant, with feed_rows more in its feed, goes to the end of the line; its mark stays when
 * `keep_mark`. Does not wait for the answer, see db_exec_later(). */
CTI_MUST_CHECK enum err_code tenant_served(
    struct db_conn *c, struct uuid app_id, int64_t feed_rows, bool keep_mark, struct err *e);

/* The batch failed and its worker lives: nothing to be careful about. The tenant goes to the end of
 * the line, so that it does not hold up the others. */
CTI_MUST_CHECK enum err_code tenant_release(struct db_conn *c, struct uuid app_id, struct err *e);

/* The batch failed, and its worker goes on with the tenant: a mark that has grown old meanwhile would
 * look like that of a dead one. */
CTI_MUST_CHECK enum err_code tenant_renew(struct db_conn *c, struct uuid app_id, struct err *e);

#endif

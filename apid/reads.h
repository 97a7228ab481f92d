/*
 * reads - where tenants' reads go: a replica when there is one and it answers, else the primary.
 *
 * Use:      reads_start() once; reads_tenant() for each request.
 * Owns:     the replica's pool, until reads_stop. The primary's pool is borrowed.
 * Threads:  safe.
 * Errors:   of db_tenant_read on the primary; what the replica's were is logged when it is lost.
 * Not for:  what must be no older than a write: a replica lags behind.
 */
#ifndef CTI_APID_READS_H
#define CTI_APID_READS_H

#include "common/db/db.h"

struct reads {
	struct db_pool *primary;
	struct db_pool *replica; /* NULL: there is none */
	_Atomic bool lost;       /* the last read had to fall back */
};

/* `replica` may be NULL; its timeout_ms leaves time to ask the primary after it. */
CTI_MUST_CHECK enum err_code reads_start(
    struct reads *r, struct db_pool *primary, const struct db_opts *replica, struct err *e);
void reads_stop(struct reads *r);

/* As db_tenant_read. */
CTI_MUST_CHECK enum err_code reads_tenant(struct reads *r, struct uuid app_id,
    const struct db_query *queries, int n, struct db_result *results, struct err *e);

#endif

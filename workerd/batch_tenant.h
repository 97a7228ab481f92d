/*
 * batch_tenant - a tenant's events become its records and its feed.
 *
 * Use:      from batch_run, inside its transaction, with the tenant locked.
 * Owns:     nothing.
 * Threads:  one connection, one thread.
 * Errors:   as batch.h.
 */
#ifndef CTI_BATCH_TENANT_H
#define CTI_BATCH_TENANT_H

#include "common/base/arena.h"
#include "workerd/batch.h"
#include "workerd/queue_db.h"

CTI_MUST_CHECK enum err_code batch_tenant(struct db_conn *c, const struct batch_opts *o,
    const struct queue_event *events, int n, struct arena *a, struct batch_report *out,
    struct err *e);

#endif

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

#include "workerd/batch/batch_work.h"

CTI_MUST_CHECK enum err_code batch_tenant(const struct batch *b, struct err *e);

#endif

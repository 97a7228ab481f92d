/*
 * batch_unclaimed - events of the bare route, which names no tenant, are given to one.
 *
 * Use:      from batch_run, when the tenant locked is the reserved nil one.
 * Owns:     nothing.
 * Threads:  one connection, one thread.
 * Errors:   as batch.h.
 *
 * Given means copied under the tenant (see claim_db.h). The original stays in the log with the
 * outcome `assigned`, or `unclaimed` and a reason that begins with "Unknown app:"; claim_again.h
 * brings it here again when that may have changed.
 */
#ifndef CTI_BATCH_UNCLAIMED_H
#define CTI_BATCH_UNCLAIMED_H

#include "workerd/batch/batch_work.h"

CTI_MUST_CHECK enum err_code batch_unclaimed(const struct batch *b, struct err *e);

#endif

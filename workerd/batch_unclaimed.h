/*
 * batch_unclaimed - events of the bare route, which names no tenant, are given to one.
 *
 * Use:      from batch_run, when the tenant locked is the reserved nil one.
 * Owns:     nothing.
 * Threads:  one connection, one thread.
 * Errors:   as batch.h.
 *
 * Given means copied: a log row that names its origin, and a queue row, under the tenant. The
 * original stays in the log with the outcome `assigned`, or `unclaimed` and the reason.
 */
#ifndef CTI_BATCH_UNCLAIMED_H
#define CTI_BATCH_UNCLAIMED_H

#include "workerd/batch_work.h"

CTI_MUST_CHECK enum err_code batch_unclaimed(const struct batch *b, struct err *e);

#endif

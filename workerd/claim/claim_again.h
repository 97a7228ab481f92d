/*
 * claim_again - unclaimed events are tried again when an app, a connection or a rule has changed.
 *
 * Use:      claim_again() every few seconds, from any worker; cheap while nothing has changed.
 * Owns:     the row `unclaimed` of the table jobs: what the claims were when the last walk began (a
 *           hash), when it began, when it ended.
 * Threads:  one connection, one thread; outside a transaction.
 * Errors:   as db.h; nothing happened.
 *
 * A walk puts every unclaimed event older than its beginning back into the queue, one chunk in each
 * call. It begins under the nil tenant's lock: no batch is under way then, so an event is either
 * older than the walk, or will be judged by the new claims. Any worker goes on with it.
 */
#ifndef CTI_CLAIM_AGAIN_H
#define CTI_CLAIM_AGAIN_H

#include "workerd/batch/batch.h"

/* *more: there is more to do, by us or by whoever is serving the nil tenant: call again soon. */
CTI_MUST_CHECK enum err_code claim_again(
    struct db_conn *c, const struct batch_opts *o, bool *more, struct err *e);

#endif

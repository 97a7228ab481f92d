/*
 * hook_lock - of all processes one at a time changes what Dialpad has of an app's hooks.
 *
 * Use:      hook_lock_try() before hook_set_load(), hook_lock_release() when all is changed and noted.
 * Owns:     a lock of the database's session; it ends with the connection.
 * Threads:  as the connection.
 * Errors:   as db.h. *mine false: another process has it.
 * Not for:  connections through a pooler: the lock would be the pooler's.
 *
 * Without it a disconnect could remove a webhook that workerd, in the middle of its work with a token
 * that it has still, makes again.
 */
#ifndef CTI_HOOK_LOCK_H
#define CTI_HOOK_LOCK_H

#include "common/db/db.h"

CTI_MUST_CHECK enum err_code hook_lock_try(
    struct db_conn *c, struct uuid app_id, bool *mine, struct err *e);
void hook_lock_release(struct db_conn *c, struct uuid app_id);

#endif

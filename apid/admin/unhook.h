/*
 * unhook - an app's webhook and subscriptions are removed from Dialpad, before its tokens go.
 *
 * Use:      unhook() in detach.c, which holds the lock of the hooks.
 * Owns:     nothing.
 * Threads:  as the connection: one of its own, as cti_admin, for tokens are nobody else's to read, and a
 *           refresh takes transactions of its own. `db`: another one like it.
 * Errors:   as hook_set.h and dp_token.h. CONFLICT, NOT_FOUND: there is no token to do it with.
 * Not for:  anything but the end of a connection: workerd would make them again.
 */
#ifndef CTI_APID_UNHOOK_H
#define CTI_APID_UNHOOK_H

#include "common/db/db.h"

struct apid;

CTI_MUST_CHECK enum err_code unhook(const struct apid *api, struct db_conn *c,
    const struct db_opts *db, struct uuid app_id, struct err *e);

#endif

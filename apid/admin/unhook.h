/*
 * unhook - an app's webhook and subscriptions are removed from Dialpad, before its tokens go.
 *
 * Use:      unhook() in a disconnect.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   as hook_set.h and dp_token.h. CONFLICT, NOT_FOUND: there is no token to do it with.
 * Not for:  anything but the end of a connection: workerd would make them again.
 *
 * It has a connection of its own, as cti_admin: tokens are nobody else's to read, and a refresh takes
 * transactions of its own.
 */
#ifndef CTI_APID_UNHOOK_H
#define CTI_APID_UNHOOK_H

#include "common/http/http.h"

CTI_MUST_CHECK enum err_code unhook(const struct http_req *req, struct uuid app_id, struct err *e);

#endif

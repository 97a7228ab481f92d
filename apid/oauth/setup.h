/*
 * setup - can this server connect Dialpad at all? What an operator must have set.
 *
 * Use:      first thing in a handler under /auth/dialpad.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none: it answers.
 */
#ifndef CTI_APID_OAUTH_SETUP_H
#define CTI_APID_OAUTH_SETUP_H

#include "common/http/http.h"

/* False: it is not, and `res` says what is missing (503). */
bool setup_is_complete(const struct http_req *req, struct http_res *res);

#endif

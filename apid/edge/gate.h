/*
 * gate - what holds for every request to apid, whatever its path.
 *
 * Use:      apid_gate as the server's http_gate_fn.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   FORBIDDEN: unencrypted in production, or a preflight of a page that is not allowed.
 * Not for:  who is calling (access/auth.h).
 */
#ifndef CTI_APID_GATE_H
#define CTI_APID_GATE_H

#include "common/http/http_server.h"

enum err_code apid_gate(
    const struct http_req *req, struct http_res *res, bool *answered, struct err *e);

#endif

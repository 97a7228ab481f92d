/*
 * request - small things that many handlers ask of a request.
 *
 * Use:      first thing in a handler.
 * Owns:     nothing.
 * Threads:  as the request.
 * Errors:   INVALID: a query parameter where none is taken. NOT_FOUND: a path's id that cannot be
 *           one, so that it names nothing.
 * Not for:  lists (page.h) and bodies (body.h).
 */
#ifndef CTI_APID_REQUEST_H
#define CTI_APID_REQUEST_H

#include "common/http/http.h"

CTI_MUST_CHECK enum err_code request_no_query(const struct http_req *req, struct err *e);

/* The {id} of /internal/apps/{id}; never the nil one, which is reserved for events of nobody. */
CTI_MUST_CHECK enum err_code request_app_id(
    const struct http_req *req, struct uuid *out, struct err *e);

/* Both. */
CTI_MUST_CHECK enum err_code request_only_app(
    const struct http_req *req, struct uuid *out, struct err *e);

#endif

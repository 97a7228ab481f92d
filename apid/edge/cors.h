/*
 * cors - which web pages may read the answers of /api in a browser.
 *
 * Use:      cors_covers() tells the paths; cors_add_headers() for every answer there, errors
 *           included; cors_preflight() for what a browser asks beforehand; cors_check_app() once it
 *           is known whose key it is. For a WebSocket, of which a browser asks and checks nothing,
 *           cors_check_page() besides.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   FORBIDDEN: the page's origin is not allowed.
 * Not for:  cookies: keys travel in a header, so "*" gives nothing away.
 */
#ifndef CTI_APID_CORS_H
#define CTI_APID_CORS_H

#include "common/http/http.h"

bool cors_covers(struct str path);

void cors_add_headers(const struct http_req *req, struct http_res *res);

/* Is this a preflight? Then it fills the answer. */
CTI_MUST_CHECK enum err_code cors_preflight(
    const struct http_req *req, struct http_res *res, bool *answered, struct err *e);

/* Is it a page that the operator allows, or none? */
CTI_MUST_CHECK enum err_code cors_check_page(const struct http_req *req, struct err *e);

/* The app's own list, separated by commas; empty: whatever CORS_ALLOWED_ORIGINS allows. */
CTI_MUST_CHECK enum err_code cors_check_app(
    const struct http_req *req, struct str allowed_origins, struct err *e);

#endif

/*
 * auth - who is calling: a client app with its key, or an admin with the internal secret.
 *
 * Use:      apid_authenticate as the server's http_auth_fn; it sets req->app_id for a client and
 *           req->actor for an admin, and counts the request where its kind is limited.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   UNAUTHORIZED: no key, or none that is valid now; which of these is not told. FORBIDDEN:
 *           a right key of a disabled app, or from a page that the app does not allow.
 *           RATE_LIMITED. UNAVAILABLE: the database, or no admin secret is set.
 * Not for:  what an app may see: every tenant statement says that itself.
 */
#ifndef CTI_APID_AUTH_H
#define CTI_APID_AUTH_H

#include "common/http/http_server.h"

enum err_code apid_authenticate(
    struct http_req *req, struct http_res *res, enum http_auth auth, struct err *e);

/* The API key that a client sent, good or not; empty when there is none. */
struct str apid_given_key(const struct http_req *req);

/* A client's key that came another way than in a header. Sets req->app_id. */
CTI_MUST_CHECK enum err_code apid_check_key(
    struct http_req *req, struct http_res *res, struct str text, struct err *e);

/* Is there any secret for admins? */
bool apid_has_admins(const struct http_req *req);

#endif

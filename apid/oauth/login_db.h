/*
 * login_db - logins under way in the database, where any replica finds them; and the app they are for.
 *
 * Use:      login_db_app() before a login begins, login_db_add(), login_db_take() in the callback.
 * Owns:     texts live in the request's arena; the verifier is the caller's to wipe.
 * Threads:  safe.
 * Errors:   NOT_FOUND, FORBIDDEN: no such app, a disabled one. INVALID: no such login.
 * Not for:  cti_admin: these run as cti_api.
 */
#ifndef CTI_APID_OAUTH_LOGIN_DB_H
#define CTI_APID_OAUTH_LOGIN_DB_H

#include "apid/oauth/login.h"
#include "common/db/db.h"

struct login_app {
	struct str name;
	bool is_open;    /* may be connected without a link now */
	bool may_return; /* `return_to` is one of its URLs, or one of them and a query */
};

CTI_MUST_CHECK enum err_code login_db_app(struct http_req *req, struct uuid app_id,
    struct str return_to, struct login_app *out, struct err *e);

CTI_MUST_CHECK enum err_code login_db_add(const struct http_req *req, struct uuid app_id,
    const struct login *l, struct str return_to, struct err *e);

struct login_taken {
	struct uuid app_id;
	struct str environment, return_to; /* return_to: STR_NONE without one */
	struct buf verifier;
};

/* The login is gone afterwards: of two callbacks with one state the second finds nothing. */
CTI_MUST_CHECK enum err_code login_db_take(struct http_req *req, struct str state,
    struct str cookie, struct login_taken *out, struct err *e);

#endif

/*
 * detach - the end of an app's connection with Dialpad, there and here.
 *
 * Use:      detach() when an admin disconnects or deletes an app.
 * Owns:     nothing; the reasons are static texts.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app, or it was never connected. The rest from the database; whatever
 *           Dialpad does is no error, the connection ends here.
 * Not for:  the app's records, which stay.
 */
#ifndef CTI_APID_DETACH_H
#define CTI_APID_DETACH_H

#include "common/http/http.h"
#include "common/json/json_out.h"

/* For the admin. NULL: done; else why not. */
struct detached {
	const char *not_removed; /* webhook and subscriptions */
	const char *not_revoked; /* the tokens */
};

CTI_MUST_CHECK enum err_code detach(const struct http_req *req, struct uuid app_id,
    bool forget_company, struct detached *out, struct err *e);

/* The members that tell it, into an object. */
void detach_tell(const struct detached *d, struct json_out *j);

#endif

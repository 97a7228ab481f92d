/*
 * tell - what came of a login, as a page for a person or as JSON for a program.
 *
 * Use:      tell_failure(), tell_success() at the end of a handler, which then returns ERR_OK.
 * Owns:     nothing.
 * Threads:  as the request.
 * Errors:   none.
 * Not for:  failures of our own database: return those as errors.
 */
#ifndef CTI_APID_OAUTH_TELL_H
#define CTI_APID_OAUTH_TELL_H

#include "common/http/http.h"

/* `text` is for all to read, also when the class is one of 5xx. */
void tell_failure(const struct http_req *req, struct http_res *res, enum err_code code,
    const char *title, struct str text);

enum { TELL_MAX_WARNINGS = 4 };

struct tell_connected {
	struct uuid app_id;
	struct str app_name, environment;
	struct str company, person; /* STR_NONE: Dialpad did not tell */
	struct str warnings[TELL_MAX_WARNINGS];
	int nwarnings;
};

void tell_success(const struct http_req *req, struct http_res *res, const struct tell_connected *c);

#endif

/*
 * account - what Dialpad gave for a code: tokens, and whose they are.
 *
 * Use:      account_fetch() in the callback.
 * Owns:     the tokens: account_release(). Texts live in the request's arena.
 * Threads:  as the request.
 * Errors:   UPSTREAM, for all that Dialpad does or fails to do; the message is for people, what
 *           happened is logged.
 * Not for:  deciding whether the account may be connected (connection_db.h).
 */
#ifndef CTI_APID_OAUTH_ACCOUNT_H
#define CTI_APID_OAUTH_ACCOUNT_H

#include "common/dialpad/dialpad_company.h"
#include "common/dialpad/dialpad_oauth.h"
#include "common/http/http.h"

struct account {
	struct dialpad_tokens tokens;
	struct dialpad_user user;
	struct str company;    /* its name; STR_NONE: not told */
	bool is_company_admin; /* may read the company, as only its admins may */
	struct dialpad_offices offices;
	bool has_offices;   /* Dialpad told them */
	struct str granted; /* scopes, separated by blanks */
	struct str missing; /* asked for and not granted; STR_NONE: nothing */
};

void account_init(struct account *a);
void account_release(struct account *a);

CTI_MUST_CHECK enum err_code account_fetch(
    struct http_req *req, struct str code, struct str verifier, struct account *out, struct err *e);

#endif

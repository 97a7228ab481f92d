/*
 * dialpad_company - who a token belongs to: user, company, offices.
 *
 * Use:      right after connecting, and when the offices are wanted anew.
 * Owns:     texts live in the caller's arena.
 * Threads:  safe.
 * Errors:   as dialpad_api.h; FORBIDDEN from dialpad_company(): the user is no company admin.
 * Not for:  users other than the token's own.
 */
#ifndef CTI_DIALPAD_COMPANY_H
#define CTI_DIALPAD_COMPANY_H

#include "common/dialpad/dialpad_api.h"

struct dialpad_user {
	int64_t id, company_id;
	struct str name, email; /* STR_NONE: not told */
	bool is_admin;          /* of anything: the company, or an office of it */
};

struct dialpad_company {
	int64_t id;
	struct str name; /* STR_NONE: not told */
};

struct dialpad_offices {
	int64_t *ids; /* in the arena */
	int n;
};

enum { DIALPAD_MAX_OFFICES = 10000 };

CTI_MUST_CHECK enum err_code dialpad_me(struct dialpad_api *api, struct str token, struct arena *a,
    struct dialpad_user *out, struct err *e);
CTI_MUST_CHECK enum err_code dialpad_company(struct dialpad_api *api, struct str token,
    struct arena *a, struct dialpad_company *out, struct err *e);
/* All pages; UPSTREAM beyond DIALPAD_MAX_OFFICES. */
CTI_MUST_CHECK enum err_code dialpad_offices(struct dialpad_api *api, struct str token,
    struct arena *a, struct dialpad_offices *out, struct err *e);

#endif

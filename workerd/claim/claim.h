/*
 * claim - whose an event of the bare route is. Pure: no I/O.
 *
 * Use:      claim_db.h fetches the claims that apps have on what a payload names; claim_decide().
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none.
 *
 * An app is eligible when an admin let it take such events, or when it is the only app there is. In
 * order of precedence an event goes to:
 *   1. the app that an admin's rule names for its target, or else for its office; when that app is
 *      not eligible, to nobody: an admin said whose it is, so it must not reach anybody else;
 *   2. the eligible app whose Dialpad company it names; of several, the one with its office;
 *   3. the eligible app to whose offices its office belongs;
 *   4. the only eligible app, also when the event names a company that the app is not known to be.
 * Where more than one app matches it goes to nobody.
 */
#ifndef CTI_CLAIM_H
#define CTI_CLAIM_H

#include "common/base/uuid.h"
#include "common/dialpad/owner.h"

enum claim_kind {
	CLAIM_TARGET_RULE,
	CLAIM_OFFICE_RULE,
	CLAIM_ORGANISATION,
	CLAIM_OFFICE,
	CLAIM_ELIGIBLE, /* no id needed: the app may take any */
};

/* "Events with this id are this app's." */
struct claim {
	enum claim_kind kind;
	int64_t dialpad_id;
	struct uuid app_id;
	bool eligible; /* false only for rules */
};

/* True: *app_id gets it. False: *why says why nobody does; static. */
bool claim_decide(const struct claim *claims, int n, const struct dialpad_owner *facts,
    struct uuid *app_id, const char **why);

#endif

/*
 * unclaimed_db - whose events of the bare route are, by an admin's word: now, or from now on.
 *
 * Use:      from unclaimed.c and rules.c.
 * Owns:     results are the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app, or rule. CONFLICT: the app may take no events of the bare route.
 *           UNAVAILABLE and TIMEOUT from the database.
 * Not for:  giving: workerd does it, and notices by itself that a rule has changed.
 */
#ifndef CTI_APID_UNCLAIMED_DB_H
#define CTI_APID_UNCLAIMED_DB_H

#include "common/db/db.h"
#include "common/http/http.h"
#include "common/json/json_out.h"

/* Queues the task; *out gets its row. */
CTI_MUST_CHECK enum err_code unclaimed_db_assign(const struct http_req *req, struct uuid app_id,
    struct str params, struct db_result *out, struct err *e);

/* "Events that name this office or target are this app's." */
struct claim_rule {
	const char *kind; /* "office", "target" */
	int64_t dialpad_id;
	struct uuid app_id;
};

/* Also in the place of the rule that there was. */
CTI_MUST_CHECK enum err_code rules_db_put(
    const struct http_req *req, const struct claim_rule *rule, struct err *e);
/* Whichever app it names; that is filled in. */
CTI_MUST_CHECK enum err_code rules_db_remove(
    const struct http_req *req, struct claim_rule *rule, struct err *e);

enum { RULES_KIND, RULES_DIALPAD_ID, RULES_APP_ID, RULES_CREATED_BY, RULES_CREATED_AT };

CTI_MUST_CHECK enum err_code rules_db_list(
    const struct http_req *req, struct db_result *out, struct err *e);

/* The members of a rule, into an object that is open. */
void rules_render(const struct claim_rule *rule, struct json_out *j);

#endif

/*
 * claim_db - the claims that apps have on events of the bare route, and giving an event to an app.
 *
 * Use:      inside a transaction that holds the nil tenant's lock.
 * Owns:     what it returns lives in the arena.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 */
#ifndef CTI_CLAIM_DB_H
#define CTI_CLAIM_DB_H

#include "common/base/arena.h"
#include "common/db/db.h"
#include "workerd/claim/claim.h"

/* Who may take such events at all, as two CTEs for statements whose $1 says whether the only app
 * there is may, and the nil tenant as text. */
#define CLAIM_NIL "'00000000-0000-0000-0000-000000000000'"
#define CLAIM_TENANTS                                                              \
	"tenants AS (SELECT app_id, accepts_bare, count(*) OVER () AS n FROM apps" \
	"   WHERE deleted_at IS NULL AND app_id <> " CLAIM_NIL "),"                \
	" eligible AS (SELECT app_id FROM tenants WHERE accepts_bare OR ($1 AND n = 1))"

/* CTEs that delete the originals, of log and archive, that the copies in the CTE `copies` were made from,
 * with their outcomes. `copies` has origin_event_id. */
#define CLAIM_ORIGINALS_FROM(log, copies)                                          \
	"(DELETE FROM " log " l USING " copies " copy WHERE l.app_id = " CLAIM_NIL \
	" AND l.event_id = copy.origin_event_id RETURNING l.received_at, l.event_id)"
#define CLAIM_OUTCOMES_FROM(outcomes)                                               \
	"(DELETE FROM " outcomes " o USING originals l WHERE o.app_id = " CLAIM_NIL \
	" AND o.received_at = l.received_at AND o.event_id = l.event_id)"
#define CLAIM_ORIGINALS_GO(copies)                                                               \
	"originals_logged AS " CLAIM_ORIGINALS_FROM("event_log",                                 \
	    copies) ","                                                                          \
		    " originals_archived AS " CLAIM_ORIGINALS_FROM("event_log_archive",          \
			copies) ","                                                              \
				" originals AS (SELECT * FROM originals_logged"                  \
				"   UNION ALL SELECT * FROM originals_archived),"                \
				" given AS " CLAIM_OUTCOMES_FROM(                                \
				    "event_outcomes") ","                                        \
						      " given_archived AS " CLAIM_OUTCOMES_FROM( \
							  "event_outcomes_archive")

/* Every claim on what these events name. Of the apps that may take any event, two at most. */
CTI_MUST_CHECK enum err_code claims_load(struct db_conn *c, bool single_tenant,
    const struct dialpad_owner *facts, int nfacts, struct arena *a, struct claim **out, int *n,
    struct err *e);

struct claim_gift {
	struct uuid event_id; /* of the nil tenant, in the queue */
	struct uuid app_id;
};

/*
 * Copies each event under its app: a log row that names its origin, and a queue row. The copy's id
 * follows from app and event, so that an event that comes by again is not copied twice.
 */
CTI_MUST_CHECK enum err_code claims_give(
    struct db_conn *c, const struct claim_gift *gifts, int n, struct err *e);

#endif

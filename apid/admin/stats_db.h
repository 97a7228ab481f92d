/*
 * stats_db - how the whole server does, in a few numbers from the database.
 *
 * Use:      stats_db_read() from stats.c.
 * Owns:     the results, until stats_release.
 * Threads:  safe.
 * Errors:   UNAVAILABLE and TIMEOUT from the database.
 *
 * The log is large and is not counted: what is counted waits, or was set aside.
 */
#ifndef CTI_APID_STATS_DB_H
#define CTI_APID_STATS_DB_H

#include "common/db/db.h"
#include "common/http/http.h"

/* What was set aside is counted up to here. */
enum { STATS_MOST = 100000 };

enum { STATE_NAME, STATE_EVENTS, STATE_IS_CAPPED, STATE_OLDEST_AT };
enum { TOP_APP_ID, TOP_NAME, TOP_PENDING, TOP_RETRYING, TOP_OLDEST_AT, TOP_LAST_EVENT_AT };
enum { BOND_STATE, BOND_APPS };
enum { FAILING_APP_ID, FAILING_NAME, FAILING_STATE, FAILING_FAILURES, FAILING_ERROR, FAILING_AT };

struct stats {
	struct db_result states;         /* of events: in the queue, and set aside */
	struct db_result top;            /* the apps with most events waiting */
	struct db_result last;           /* the last event of all, within a week */
	struct db_result bonds, failing; /* connections */
};

CTI_MUST_CHECK enum err_code stats_db_read(
    const struct http_req *req, struct stats *out, struct err *e);
void stats_release(struct stats *s);

#endif

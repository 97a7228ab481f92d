/*
 * calls_db - the statements that read calls and their events, and the filters of their lists.
 *
 * Use:      by the handlers in calls.c, mostly through list.h and item.h.
 * Owns:     nothing; static.
 * Threads:  read-only.
 * Errors:   UNAVAILABLE and TIMEOUT from the database.
 * Not for:  writing: calls belong to workerd.
 */
#ifndef CTI_APID_CALLS_DB_H
#define CTI_APID_CALLS_DB_H

#include "apid/client/item.h"
#include "apid/client/list.h"

extern const struct list CALLS_LIST;
extern const struct list CALLS_LIVE; /* those that go on now, all at once */

extern const struct item_kind CALLS_ITEM;

/* The events of a call that was read: rows of enum call_timeline, oldest first. */
CTI_MUST_CHECK enum err_code calls_timeline(
    const struct http_req *req, const struct record *call, struct db_result *out, struct err *e);

enum call_timeline {
	TIMELINE_EVENT_ID,
	TIMELINE_EVENT_TYPE,
	TIMELINE_EVENT_AT,
	TIMELINE_RECEIVED_AT,
	TIMELINE_VERDICT,
};

#endif

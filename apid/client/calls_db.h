/*
 * calls_db - the statements that read calls, and the filters of their lists.
 *
 * Use:      by the handlers in calls.c, through list.h and item.h.
 * Owns:     nothing; static.
 * Threads:  read-only.
 * Errors:   none.
 * Not for:  writing: calls belong to workerd.
 */
#ifndef CTI_APID_CALLS_DB_H
#define CTI_APID_CALLS_DB_H

#include "apid/client/item.h"
#include "apid/client/list.h"

extern const struct list CALLS_LIST;
extern const struct list CALLS_LIVE; /* those that go on now, all at once */

/* `more` is the call's timeline: rows of enum call_timeline, oldest first. */
extern const struct item_kind CALLS_ITEM;

enum call_timeline {
	TIMELINE_EVENT_ID,
	TIMELINE_EVENT_TYPE,
	TIMELINE_EVENT_AT,
	TIMELINE_RECEIVED_AT,
	TIMELINE_VERDICT,
};

#endif

/*
 * events_db - the log of an app's events, with what became of each, for admins.
 *
 * Use:      from events.c and unclaimed.c. The nil app has the events of nobody.
 * Owns:     results are the caller's.
 * Threads:  safe.
 * Errors:   NOT_FOUND: no such app. UNAVAILABLE and TIMEOUT from the database.
 * Not for:  clients: they have the timeline of a call.
 *
 * Log and archive count as one. A page is planned for its parameters, so that only the days and the
 * index that they call for are opened.
 */
#ifndef CTI_APID_EVENTS_DB_H
#define CTI_APID_EVENTS_DB_H

#include "apid/client/page.h"
#include "common/db/db.h"
#include "common/json/json_out.h"

enum {
	EVENTS_ID,
	EVENTS_PLACE, /* received_at in microseconds, for page_place.sort_at */
	EVENTS_RECEIVED_AT,
	EVENTS_ARRIVED_AT,
	EVENTS_EVENT_AT,
	EVENTS_KIND,
	EVENTS_TYPE,
	EVENTS_DIALPAD_ID,
	EVENTS_HOOK,
	EVENTS_SOURCE,
	EVENTS_ORIGIN,
	EVENTS_VERDICT,
	EVENTS_ATTEMPTS,
	EVENTS_NEXT_ATTEMPT_AT,
	EVENTS_ERROR,
	EVENTS_ARCHIVED,
	EVENTS_PAYLOAD, /* of a single event, and of unclaimed ones */
	EVENTS_PAYLOAD_BASE64,
};

/* Where the rows of a page are looked for. */
enum events_form {
	EVENTS_ALL,
	EVENTS_PROCESSED,
	EVENTS_WAITING,   /* pending, retrying */
	EVENTS_SET_ASIDE, /* the verdicts of event_outcomes */
	EVENTS_UNCLAIMED, /* of the nil app, not archived, with their payloads */
};

/* $1 app, $2 and $3 the place to go on from, $4 rows, $5 verdict, $6 kind, $7 Dialpad's id, $8 and $9
 * since and until. */
CTI_MUST_CHECK enum err_code events_db_list(const struct http_req *req, struct uuid app_id,
    enum events_form form, const struct db_params *p, struct db_result *out, struct err *e);

CTI_MUST_CHECK enum err_code events_db_get(const struct http_req *req, struct uuid app_id,
    struct uuid event_id, struct db_result *out, struct err *e);

/* How many of these events the app has, whatever became of them. */
CTI_MUST_CHECK enum err_code events_db_count(
    struct db_conn *c, struct uuid app_id, const struct db_array *ids, int64_t *n, struct err *e);

/* The members of an event but its payload, into an object that is open. */
void events_render(const struct db_result *r, int row, struct json_out *j);

#endif

/*
 * event - what kind of thing Dialpad sent, about what, and when it says it happened.
 *
 * Use:      dialpad_event_read() on parsed claims; used by ingestd for the log's columns and by
 *           workerd before folding.
 * Owns:     nothing; views live as long as the claims and the arena.
 * Threads:  safe.
 * Errors:   none: whatever cannot be recognised is DIALPAD_OTHER.
 * Not for:  deciding what a record becomes (see workerd/fold/fold.h).
 *
 * Kinds share one URL and carry no type. A call event has a call_id; a text has an id and a
 * from_number, to_number or message_status.
 */
#ifndef CTI_DIALPAD_EVENT_H
#define CTI_DIALPAD_EVENT_H

#include "common/base/arena.h"
#include "common/json/json_in.h"

enum dialpad_kind { DIALPAD_CALL, DIALPAD_MESSAGE, DIALPAD_OTHER };

/* The kind of an event in the log, for SQL: 'call', 'message' or 'other', from its event_type. */
#define DIALPAD_KIND_SQL(event_type)                                    \
	"CASE WHEN " event_type " = 'sms' THEN 'message'"               \
	" WHEN " event_type " IS NULL OR " event_type " IN ('contact'," \
	" 'agent_status', 'changelog', 'unknown') THEN 'other' ELSE 'call' END"

struct dialpad_event {
	enum dialpad_kind kind;
	struct str
	    type; /* a call's state, "sms" for texts, else "contact", "agent_status", "changelog", "unknown" */
	int64_t id;         /* call id or message id; 0 when it is missing or no whole number */
	struct str id_text; /* as text; STR_NONE without an id */
	int64_t event_at;   /* ms; event_timestamp, else the latest date in the body, else 0 */
};

void dialpad_event_read(const struct json *claims, struct arena *a, struct dialpad_event *out);

/* An instant in ms, a number or digits, within the years 1970 to 9999; false otherwise. */
bool dialpad_instant(const struct json *v, int64_t *ms);

/* The earliest and latest of date_* and created_date in the body; false when there is none. */
bool dialpad_dates(const struct json *claims, int64_t *earliest, int64_t *latest);

#endif

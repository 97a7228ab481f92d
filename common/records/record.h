/*
 * record - calls, messages and voicemails as rows: their columns, once, and how they travel.
 *
 * Use:      a struct record holds a row; `v[CALL_status]` and the like are its columns. workerd folds
 *           and writes them, apid reads them, record_render.h prints them for clients.
 * Owns:     nothing; text points into the result or arena it came from.
 * Threads:  plain values.
 * Errors:   none.
 * Not for:  app_id, which every statement binds as $1.
 *
 * The tables below are the only list of columns. A row of a table: member and column (quoted, some
 * are SQL words), type, how an event changes it, and where in Dialpad's payload it comes from.
 * LATEST     the value with the greatest (event time, rank of the state, hash of the claims)
 * RANKED     the same, but rank counts first
 * GREATEST   the greatest value        LEAST  the least value
 * COLLECT    a union of list items, by code of its own (workerd/fold/fold_lists.h)
 * DERIVED    computed from the other columns after each merge (workerd/fold/fold_derive.c)
 * Clocks are stored by position: append rows at the end, never reorder or reuse one.
 */
#ifndef CTI_RECORD_H
#define CTI_RECORD_H

#include "common/base/str.h"
#include "common/base/uuid.h"

enum record_type {
	RECORD_I64,
	RECORD_MS, /* bigint; a duration: Dialpad's fractions of a millisecond are rounded */
	RECORD_F64,
	RECORD_BOOL,
	RECORD_TIME, /* ms since 1970 */
	RECORD_TEXT, /* short: cut at 1 KiB */
	RECORD_LONG, /* text of any length */
	RECORD_JSON,
};

enum record_rule {
	RECORD_LATEST,
	RECORD_RANKED,
	RECORD_GREATEST,
	RECORD_LEAST,
	RECORD_COLLECT,
	RECORD_DERIVED,
};

/* clang-format off */
/*      column               type  rule      payload key (a|b: the first that is there; a.b: inside a) */
#define CALL_FIELDS(X)                                                                           \
	X(direction,             TEXT, LATEST,   "direction")                                     \
	X(external_number,       TEXT, LATEST,   "external_number")                               \
	X(internal_number,       TEXT, LATEST,   "internal_number")                               \
	X(from,                  TEXT, DERIVED,  "")                                              \
	X(to,                    TEXT, DERIVED,  "")                                              \
	X(status,                TEXT, DERIVED,  "")                                              \
	X(state,                 TEXT, RANKED,   "state")                                         \
	X(started_at,            TIME, LATEST,   "date_started")                                  \
	X(queued_at,             TIME, LATEST,   "date_queued")                                   \
	X(rang_at,               TIME, LATEST,   "date_rang|date_first_rang")                     \
	X(connected_at,          TIME, LATEST,   "date_connected")                                \
	X(ended_at,              TIME, LATEST,   "date_ended")                                    \
	X(duration,              MS,   DERIVED,  "")                                              \
	X(talk_time,             MS,   GREATEST, "talk_time")                                     \
	X(total_duration,        MS,   GREATEST, "total_duration")                                \
	X(hold_time,             MS,   GREATEST, "hold_time")                                     \
	X(target_id,             I64,  LATEST,   "target.id")                                     \
	X(target_type,           TEXT, LATEST,   "target.type")                                   \
	X(target_name,           TEXT, LATEST,   "target.name")                                   \
	X(target_email,          TEXT, LATEST,   "target.email")                                  \
	X(target_phone,          TEXT, LATEST,   "target.phone")                                  \
	X(target_office_id,      I64,  LATEST,   "target.office_id")                              \
	X(contact_id,            TEXT, LATEST,   "contact.id")                                    \
	X(contact_type,          TEXT, LATEST,   "contact.type")                                  \
	X(contact_name,          TEXT, LATEST,   "contact.name")                                  \
	X(contact_phone,         TEXT, LATEST,   "contact.phone")                                 \
	X(contact_email,         TEXT, LATEST,   "contact.email")                                 \
	X(was_recorded,          BOOL, LATEST,   "was_recorded")                                  \
	X(recording_url,         TEXT, DERIVED,  "")                                              \
	X(recordings,            JSON, COLLECT,  "")                                              \
	X(voicemail_at,          TIME, LEAST,    "")                                              \
	X(voicemail_recording_id, I64, LATEST,   "voicemail_recording_id")                        \
	X(voicemail_url,         TEXT, LATEST,   "voicemail_link|voicemail_share_link")          \
	X(voicemail_duration,    MS,   DERIVED,  "")                                              \
	X(voicemail_left_at,     TIME, DERIVED,  "")                                              \
	X(transcription,         LONG, LATEST,   "transcription_text")                            \
	X(recap_summary,         LONG, LATEST,   "recap_summary")                                 \
	X(recap_outcome,         LONG, LATEST,   "recap_outcome")                                 \
	X(recap_purposes,        JSON, LATEST,   "recap_purposes")                                \
	X(recap_action_items,    JSON, LATEST,   "recap_action_items")                            \
	X(mos_score,             F64,  LATEST,   "mos_score")                                     \
	X(csat_score,            F64,  LATEST,   "csat_score")                                    \
	X(labels,                JSON, COLLECT,  "")                                              \
	X(is_transferred,        BOOL, LATEST,   "is_transferred")                                \
	X(master_call_id,        I64,  LATEST,   "master_call_id")                                \
	X(entry_point_call_id,   I64,  LATEST,   "entry_point_call_id")                           \
	X(operator_call_id,      I64,  LATEST,   "operator_call_id")                              \
	X(group_id,              TEXT, LATEST,   "group_id")                                      \
	X(ended_reason,          TEXT, DERIVED,  "")                                              \
	X(sort_at,               TIME, DERIVED,  "")                                              \
	X(first_date_at,         TIME, LEAST,    "")                                              \
	X(first_event_at,        TIME, LEAST,    "")                                              \
	X(created_at,            TIME, LEAST,    "")                                              \
	X(updated_at,            TIME, GREATEST, "")

#define MESSAGE_FIELDS(X)                                                                        \
	X(direction,             TEXT, LATEST,   "direction")                                     \
	X(from,                  TEXT, LATEST,   "from_number")                                   \
	X(to,                    TEXT, DERIVED,  "")                                              \
	X(to_numbers,            JSON, LATEST,   "to_number")                                     \
	X(text,                  LONG, LATEST,   "text|text_content")                             \
	X(status,                TEXT, RANKED,   "message_status")                                \
	X(delivery_result,       TEXT, LATEST,   "message_delivery_result")                       \
	X(is_mms,                BOOL, LATEST,   "mms")                                           \
	X(media_url,             TEXT, LATEST,   "mms_url")                                       \
	X(is_internal,           BOOL, LATEST,   "is_internal")                                   \
	X(sender_id,             I64,  LATEST,   "sender_id")                                     \
	X(target_id,             I64,  LATEST,   "target.id")                                     \
	X(target_type,           TEXT, LATEST,   "target.type")                                   \
	X(target_name,           TEXT, LATEST,   "target.name")                                   \
	X(target_phone,          TEXT, LATEST,   "target.phone_number")                           \
	X(contact_id,            TEXT, LATEST,   "contact.id")                                    \
	X(contact_type,          TEXT, LATEST,   "contact.type")                                  \
	X(contact_name,          TEXT, LATEST,   "contact.name")                                  \
	X(contact_phone,         TEXT, LATEST,   "contact.phone_number")                          \
	X(contact_email,         TEXT, LATEST,   "contact.email")                                 \
	X(sent_at,               TIME, LATEST,   "created_date")                                  \
	X(sort_at,               TIME, DERIVED,  "")                                              \
	X(first_date_at,         TIME, LEAST,    "")                                              \
	X(first_event_at,        TIME, LEAST,    "")                                              \
	X(created_at,            TIME, LEAST,    "")                                              \
	X(updated_at,            TIME, GREATEST, "")

/* A projection of the call that it was left on, so nothing is folded into it. */
#define VOICEMAIL_FIELDS(X)                                                                      \
	X(from,                  TEXT, DERIVED,  "")                                              \
	X(to,                    TEXT, DERIVED,  "")                                              \
	X(target_id,             I64,  DERIVED,  "")                                              \
	X(target_type,           TEXT, DERIVED,  "")                                              \
	X(target_name,           TEXT, DERIVED,  "")                                              \
	X(target_email,          TEXT, DERIVED,  "")                                              \
	X(target_phone,          TEXT, DERIVED,  "")                                              \
	X(target_office_id,      I64,  DERIVED,  "")                                              \
	X(contact_id,            TEXT, DERIVED,  "")                                              \
	X(contact_type,          TEXT, DERIVED,  "")                                              \
	X(contact_name,          TEXT, DERIVED,  "")                                              \
	X(contact_phone,         TEXT, DERIVED,  "")                                              \
	X(contact_email,         TEXT, DERIVED,  "")                                              \
	X(recording_id,          I64,  DERIVED,  "")                                              \
	X(recording_url,         TEXT, DERIVED,  "")                                              \
	X(duration,              MS,   DERIVED,  "")                                              \
	X(transcription,         LONG, DERIVED,  "")                                              \
	X(left_at,               TIME, DERIVED,  "")                                              \
	X(sort_at,               TIME, DERIVED,  "")                                              \
	X(created_at,            TIME, DERIVED,  "")                                              \
	X(updated_at,            TIME, DERIVED,  "")
/* clang-format on */

#define X(column, type, rule, path) CALL_##column,
enum call_field { CALL_FIELDS(X) CALL_FIELD_COUNT };
#undef X
#define X(column, type, rule, path) MESSAGE_##column,
enum message_field { MESSAGE_FIELDS(X) MESSAGE_FIELD_COUNT };
#undef X
#define X(column, type, rule, path) VOICEMAIL_##column,
enum voicemail_field { VOICEMAIL_FIELDS(X) VOICEMAIL_FIELD_COUNT };
#undef X

enum { RECORD_MAX_FIELDS = 64 };

struct record_value {
	bool set; /* false: null */
	union {
		int64_t i; /* I64, MS, TIME */
		double f;
		bool b;
		struct str s; /* TEXT, LONG, JSON */
	};
};

struct record {
	int64_t dialpad_id; /* call_id or message_id */
	struct uuid
	    id; /* ours: a UUID v5 of app, kind and dialpad_id, so that a rebuild keeps it */
	struct record_value v[RECORD_MAX_FIELDS];
};

struct record_field {
	const char *column;
	enum record_type type;
	enum record_rule rule;
	const char *path;
};

struct record_kind {
	const char *name;      /* "call" */
	const char *table;     /* "calls" */
	const char *id_column; /* "call_id" */
	int nfields;
	const struct record_field *fields;
};

extern const struct record_kind RECORD_CALL, RECORD_MESSAGE, RECORD_VOICEMAIL;

/* Columns in the order of `v`, quoted, each with a comma in front: for SQL made at compile time. */
#define RECORD_COLUMN_(column, type, rule, path) ", \"" #column "\""
#define CALL_COLUMNS CALL_FIELDS(RECORD_COLUMN_)
#define MESSAGE_COLUMNS MESSAGE_FIELDS(RECORD_COLUMN_)
#define VOICEMAIL_COLUMNS VOICEMAIL_FIELDS(RECORD_COLUMN_)

struct uuid record_id(struct uuid app_id, const struct record_kind *kind, int64_t dialpad_id);

bool record_value_eq(
    enum record_type type, const struct record_value *a, const struct record_value *b);

static inline struct record_value
record_int(int64_t v)
{
	return (struct record_value){ .set = true, .i = v };
}

static inline struct record_value
record_text(struct str s) /* STR_NONE is null */
{
	return (struct record_value){ .set = s.p != NULL, .s = s };
}

#endif

/*
 * event - a genuine webhook on its way to the log.
 *
 * Use:      event_make() once the signature holds; the request waits until it is stored.
 * Owns:     nothing; text lives as long as the request (or the spool file it was read from).
 * Threads:  plain values.
 * Errors:   none: whatever was signed is an event.
 */
#ifndef CTI_INGEST_EVENT_H
#define CTI_INGEST_EVENT_H

#include "common/base/arena.h"
#include "common/base/uuid.h"

struct event {
	struct uuid app_id;    /* nil: the bare route */
	struct uuid id;        /* version 7: in order of arrival */
	int32_t hook;          /* 0: the bare route */
	bool is_json;          /* an object; else the claims are kept as bytes */
	int64_t arrived_at;    /* ms */
	int64_t event_at;      /* ms, as Dialpad says; 0 when unknown */
	struct str type;       /* STR_NONE when unknown */
	struct str dialpad_id; /* STR_NONE when there is none */
	struct str claims;     /* the exact bytes that were signed */
};

void event_make(
    struct uuid app_id, int32_t hook, struct str claims, struct arena *a, struct event *out);

#endif

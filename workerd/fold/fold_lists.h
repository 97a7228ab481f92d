/*
 * fold_lists - the lists in a call: recordings, labels; a text's recipients.
 *
 * Use:      *_read() makes the canonical JSON array from a payload, *_union() merges two of them.
 * Owns:     nothing; results live in the arena. STR_NONE is "no list".
 * Threads:  safe.
 * Errors:   none: items of an unknown shape are passed over.
 *
 * Dialpad names recordings in three shapes: recording_details[] (id, url, duration, start_time,
 * recording_type), lists of URLs (the id is the last part of the path), and lists of ids.
 */
#ifndef CTI_FOLD_LISTS_H
#define CTI_FOLD_LISTS_H

#include "common/base/arena.h"
#include "common/json/json_in.h"

struct recording {
	struct str id, url, type;     /* STR_NONE when unknown */
	int64_t duration, started_at; /* 0 when unknown */
};

struct str recordings_read(const struct json *claims, struct arena *a);
struct str recordings_union(struct str x, struct str y, struct arena *a);
/* The first recording of that type; false when there is none. */
bool recordings_find(struct str list, struct str type, struct arena *a, struct recording *out);

struct str labels_read(const struct json *claims, struct arena *a);
struct str labels_union(struct str x, struct str y, struct arena *a);

/* `to_number` is an array, or one string. */
struct str recipients_read(const struct json *claims, struct arena *a);
/* The first item of an array of strings; STR_NONE when there is none. */
struct str strings_first(struct str list, struct arena *a);

#endif

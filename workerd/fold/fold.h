/*
 * fold - what an event changes in a record. Pure: no I/O, no clock, no order of arrival.
 *
 * Use:      fold_read() turns a payload into a change, fold_merge() applies it to a row; after the
 *           last change of a batch fold_derive() fills the columns that follow from the others.
 * Owns:     nothing; text lives in the arena given (and in what the row was read from).
 * Threads:  safe.
 * Errors:   INVALID: the payload is no JSON object, or a call or text without a usable id.
 * Not for:  SQL (see records_db.h).
 *
 * The rule: every permutation and repetition of a set of events ends in the same row. A field keeps
 * the value with the greatest key; an absent or null field never overwrites; durations take the
 * maximum; lists are unions sorted by id. Which rule a column has stands in common/records/record.h.
 */
#ifndef CTI_FOLD_H
#define CTI_FOLD_H

#include "common/base/arena.h"
#include "common/dialpad/event.h"
#include "common/records/record.h"

enum { FOLD_HASH_BYTES = 32 };

/* Compared in this order; the hash of the claims decides between two events of one instant. */
struct fold_key {
	int64_t at; /* the event's own time, ms */
	uint8_t rank;
	uint8_t hash[FOLD_HASH_BYTES];
};

struct fold_change {
	const struct record_kind *kind; /* NULL: the event concerns no record */
	int64_t dialpad_id;
	struct fold_key key;
	int64_t voicemail_received_at; /* 0 unless the event proves a voicemail */
	struct record_value v[RECORD_MAX_FIELDS];
};

struct fold_row {
	struct record r;
	struct fold_key keys[RECORD_MAX_FIELDS]; /* of LATEST and RANKED fields that are set */
	int64_t voicemail_received_at;           /* least of this batch, 0 for none */
};

/* `received_at`: when the log received it (ms); only created_at and updated_at follow from it. */
CTI_MUST_CHECK enum err_code fold_read(struct str payload, int64_t received_at, struct arena *a,
    struct fold_change *out, struct err *e);

/*
 * The same for an event of our own. The sweeper's state counts only so: read from an event of anybody
 * else, CALL_STATE_SWEPT is no state at all. A repair's payload is a call from Dialpad's list: its
 * event_timestamp is the time of our request and counts for nothing, and its state always reads
 * "hangup", also of a call that went to voicemail.
 */
enum fold_origin { FOLD_DIALPAD, FOLD_SWEEPER, FOLD_REPAIR };
enum fold_origin fold_origin_of(struct str source); /* the log's column */
CTI_MUST_CHECK enum err_code fold_read_from(enum fold_origin origin, struct str payload,
    int64_t received_at, struct arena *a, struct fold_change *out, struct err *e);

/* `row` is of the same kind and id; a new row is all zero but for r.dialpad_id and r.id. */
void fold_merge(struct fold_row *row, const struct fold_change *c, struct arena *a);

void fold_derive(struct fold_row *row, const struct record_kind *kind, struct arena *a);

/* The voicemail that was left on a call; false when there is none. */
bool fold_voicemail(const struct fold_row *call, struct record *out);

/* The keys of a row as bytes for its column `clocks`, and back. Decoding what fold_clocks_encode
 * did not write leaves all keys zero: then every event wins over the fields read. */
struct str fold_clocks_encode(
    const struct fold_row *row, const struct record_kind *kind, struct arena *a);
void fold_clocks_decode(struct str clocks, const struct record_kind *kind, struct fold_row *row);

#endif

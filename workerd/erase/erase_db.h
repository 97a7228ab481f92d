/*
 * erase_db - where a number may stand, and the rows that go when it stands there.
 *
 * Use:      erase_look() page by page through each place; erase_remove() with what it found, in a
 *           transaction that holds the tenant's lock.
 * Owns:     results belong to the caller.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 *
 * A number counts where it is a whole value, not where a text mentions it: then somebody else's text
 * would go. Records are looked at besides the log, because the log may no longer reach back to them.
 */
#ifndef CTI_ERASE_DB_H
#define CTI_ERASE_DB_H

#include "common/base/arena.h"
#include "common/db/db.h"
#include "common/dialpad/event.h"

enum { ERASE_PLACES = 5, ERASE_PAGE = 5000 };

/* How the first page of a place is asked for. */
const char *erase_first(int place);

struct erase_wanted {
	struct uuid app_id;
	struct str number;
};

/* One page of a place after the row `after`: the rows that have the number, and the last row. */
CTI_MUST_CHECK enum err_code erase_look(struct db_conn *c, const struct erase_wanted *w, int place,
    struct str after, struct db_result *out, struct err *e);

struct erase_hit {
	struct str row; /* what the next page comes after; lent by the result */
	bool has_number;
	struct uuid event_id;   /* nil for a record */
	enum dialpad_kind kind; /* OTHER: the event stands alone */
	int64_t dialpad_id;     /* of its record; 0: none */
};

void erase_hit_read(const struct db_result *r, int row, struct erase_hit *out);

struct erase_counts {
	int64_t calls, messages, voicemails, events, changes;
};

/* All events of these records, these events, the records, and what the feed says of them. Arrays of
 * int8, int8, uuid. *counts grows. */
CTI_MUST_CHECK enum err_code erase_remove(struct db_conn *c, struct uuid app_id,
    const struct db_array *calls, const struct db_array *messages, const struct db_array *events,
    const struct db_array *objects, struct erase_counts *counts, struct err *e);

#endif

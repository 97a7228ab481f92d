/*
 * repair_walk - where a repair stands in Dialpad's list of calls, as the request keeps it.
 *
 * Use:      repair_walk_read() the params, advance, repair_walk_write() after each page.
 * Owns:     the cursor: repair_walk_release().
 * Threads:  plain values.
 * Errors:   INVALID: no range of time.
 * Not for:  talking to Dialpad.
 *
 * Dialpad lists what started within less than 30 days, so a long range is walked in windows.
 */
#ifndef CTI_REPAIR_WALK_H
#define CTI_REPAIR_WALK_H

#include "common/dialpad/dialpad_list.h"
#include "common/json/json_out.h"

struct repair_walk {
	int64_t from, to;      /* ms: starts of calls, both included */
	int64_t at;            /* ms: where the window begins that is being walked */
	int64_t passes;        /* walks still to make, this one included */
	int64_t listed, added; /* calls so far */
	struct str reason;     /* in the request's params */
	struct buf cursor;     /* of the next page of the window; empty: its first */
};

CTI_MUST_CHECK enum err_code repair_walk_read(
    const struct json *params, struct repair_walk *out, struct err *e);
void repair_walk_release(struct repair_walk *w);
void repair_walk_write(const struct repair_walk *w, struct buf *out);

/* The path of the list for the window, without the cursor. */
void repair_walk_path(const struct repair_walk *w, struct buf *out);

/* After the last page of a window. False: that was the last window. */
bool repair_walk_next(struct repair_walk *w);

#endif

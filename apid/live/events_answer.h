/*
 * events_answer - the body of an answer to GET /api/events, from one or more pages of the feed.
 *
 * Use:      events_begin(), events_add() for pages in order, events_end(); or events_resync().
 * Owns:     its text until events_release().
 * Threads:  plain values.
 * Errors:   none but the buf's.
 * Not for:  sockets.
 */
#ifndef CTI_APID_LIVE_EVENTS_ANSWER_H
#define CTI_APID_LIVE_EVENTS_ANSWER_H

#include "apid/live/feed.h"

struct events_answer {
	struct feed_scope scope;
	uint32_t types;
	int64_t limit;
	int64_t pos; /* number of the last change looked at */
	int64_t n;   /* changes in the answer */
	bool has_more;
	struct buf body;
	struct json_out j;
};

void events_begin(struct events_answer *a, const struct feed_scope *s, uint32_t types,
    int64_t limit, int64_t pos);
void events_add(struct events_answer *a, const struct feed_page *page);
struct str events_end(struct events_answer *a); /* lent until release */

/* Instead of all: what came behind the cursor is gone, read the lists, go on behind `head`. */
struct str events_resync(struct events_answer *a, int64_t head);

void events_release(struct events_answer *a);

#endif

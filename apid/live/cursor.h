/*
 * cursor - a place in one tenant's feed, as text that a client keeps and cannot make.
 *
 * Use:      feed_cursor_format() behind a row; feed_cursor_parse() when a client resumes.
 * Owns:     nothing.
 * Threads:  pure.
 * Errors:   false: not a cursor of this tenant's feed.
 * Not for:  lists (client/page.h).
 */
#ifndef CTI_APID_LIVE_CURSOR_H
#define CTI_APID_LIVE_CURSOR_H

#include "apid/access/pepper.h"
#include "common/base/uuid.h"

enum { FEED_CURSOR_BYTES = 33 }; /* with the NUL */

/* What a cursor is good for. All replicas have the same keys. */
struct feed_scope {
	const struct pepper_keys *keys;
	struct uuid app_id;
};

/* Behind the change with this number; returns `out`. */
const char *feed_cursor_format(
    const struct feed_scope *s, int64_t seq, char out[FEED_CURSOR_BYTES]);
bool feed_cursor_parse(const struct feed_scope *s, struct str text, int64_t *seq);

#endif

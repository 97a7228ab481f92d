/*
 * feed - the change feed as it is read: how far it goes, and the rows behind a place.
 *
 * Use:      feed_read_heads() for many tenants; feed_read() for the rows of one.
 * Owns:     a page has its rows until feed_page_release().
 * Threads:  as the connection.
 * Errors:   from the database.
 * Not for:  writing: workerd does, in the transaction of the change.
 *
 * A tenant's changes are numbered without gaps, in the order of their commits. So a number that is
 * missing is one that retention has dropped: the reader is told to read the lists anew.
 */
#ifndef CTI_APID_LIVE_FEED_H
#define CTI_APID_LIVE_FEED_H

#include "apid/live/cursor.h"
#include "common/db/db.h"
#include "common/json/json_out.h"

struct wire_bytes;

struct feed_row {
	int64_t seq, at_ms;
	uint32_t type_bit;
	struct str type, data;      /* borrowed from the page; data is JSON */
	struct wire_bytes *message; /* for sockets, once somebody wants it; the page's */
};

struct feed_page {
	struct db_result result;
	struct feed_row *rows;
	int n;
	bool has_more;
	bool has_gap; /* what came right behind the place is gone; n is 0 */
	int64_t head; /* the last number there is */
};

void feed_page_release(struct feed_page *p);

/* Up to `limit` rows behind `after`, and the head, of the tenant. */
CTI_MUST_CHECK enum err_code feed_read(struct db_conn *c, struct uuid app_id, int64_t after,
    int64_t limit, struct feed_page *out, struct err *e);

/* Of every tenant of the array that exists: result columns FEED_APP_ID and FEED_LAST_SEQ. */
enum { FEED_APP_ID, FEED_LAST_SEQ };
CTI_MUST_CHECK enum err_code feed_read_heads(
    struct db_conn *c, const struct db_array *app_ids, struct db_result *out, struct err *e);

/* What the type resync carries, here and there. */
#define FEED_RESYNC "{\"reason\":\"the cursor is older than the feed: read the lists again\"}"

/* One change as /api/events lists it, and as a socket is sent it. */
void feed_render_event(const struct feed_scope *s, const struct feed_row *row, struct json_out *j);
struct wire_bytes *feed_message(const struct feed_scope *s, struct feed_row *row); /* borrowed */

#endif

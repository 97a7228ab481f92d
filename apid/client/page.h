/*
 * page - which part of a list is asked for: limit, offset, cursor, order, total.
 *
 * Use:      page_read() from a request's query; page_cursor_format() for `next_cursor`.
 * Owns:     nothing.
 * Threads:  plain values.
 * Errors:   INVALID, naming the parameter.
 * Not for:  filters (list.h).
 *
 * A list is ordered by (sort_at, id), and a cursor is the last pair that was shown, so that rows
 * added meanwhile neither repeat nor hide others. It is signed for one tenant, list and order: a
 * client can keep it but not make one. Instants of records are whole milliseconds, as workerd writes
 * them; a list of admins may have another unit.
 */
#ifndef CTI_APID_PAGE_H
#define CTI_APID_PAGE_H

#include "apid/access/pepper.h"
#include "common/base/buf.h"
#include "common/base/uuid.h"
#include "common/http/http.h"

enum { PAGE_MAX_LIMIT = 500, PAGE_MAX_OFFSET = 1000000, PAGE_CURSOR_CHARS = 54 };

/* What a cursor is good for. */
struct page_scope {
	const struct pepper_keys *keys;
	const char *list; /* "calls" */
	struct uuid app_id;
	bool oldest_first;
};

struct page_place {
	int64_t sort_at; /* ms since 1970, or in the list's own unit */
	struct uuid id;
};

struct page {
	int64_t limit, offset;
	bool oldest_first;
	bool wants_total;
	bool has_after; /* after a cursor: `offset` is 0 then */
	struct page_place after;
};

struct page_rules {
	const struct pepper_keys *cursor_keys; /* the same in every apid */
	const char *list;
	struct uuid app_id; /* whose rows they are */
	int64_t default_limit;
	bool in_parts; /* takes offset and cursor */
};

/* The query parameters that page_read knows, NULL-terminated. */
extern const char *const PAGE_PARAMETERS[];       /* of a list in parts */
extern const char *const PAGE_PARAMETERS_WHOLE[]; /* of one that comes whole */

CTI_MUST_CHECK enum err_code page_read(
    const struct http_req *req, const struct page_rules *rules, struct page *out, struct err *e);

void page_cursor_format(const struct page_scope *s, struct page_place place, struct buf *out);
bool page_cursor_parse(const struct page_scope *s, struct str text, struct page_place *out);

#endif

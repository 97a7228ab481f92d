#include "workerd/repair/repair_walk.h"

#include <inttypes.h>
#include <stdio.h>

#define WINDOW_MS (29LL * 24 * 3600 * 1000)

static int64_t
number(const struct json *params, const char *key, int64_t otherwise)
{
	int64_t n;

	return json_get_i64(params, key, &n) ? n : otherwise;
}

enum err_code
repair_walk_read(const struct json *params, struct repair_walk *out, struct err *e)
{
	struct repair_walk w = { .cursor = BUF(DIALPAD_MAX_CURSOR_BYTES), .reason = STR_NONE };
	struct str cursor;

	if (!json_get_i64(params, "from", &w.from) || !json_get_i64(params, "to", &w.to)
	    || w.from < 0 || w.to < w.from)
		return err_set(e, ERR_INVALID, "the request names no range of time");
	w.at = number(params, "at", w.from);
	w.passes = number(params, "passes", 1);
	w.listed = number(params, "listed", 0);
	w.added = number(params, "added", 0);
	(void)json_get_str(params, "reason", &w.reason);
	if (json_get_str(params, "cursor", &cursor))
		buf_add_str(&w.cursor, cursor);
	*out = w;
	return ERR_OK;
}

void
repair_walk_release(struct repair_walk *w)
{
	buf_release(&w->cursor);
}

void
repair_walk_write(const struct repair_walk *w, struct buf *out)
{
	struct json_out j;

	jo_init(&j, out);
	jo_obj(&j);
	jo_kv_i64(&j, "from", w->from);
	jo_kv_i64(&j, "to", w->to);
	jo_kv_str(&j, "reason", w->reason);
	jo_kv_i64(&j, "at", w->at);
	jo_kv_i64(&j, "passes", w->passes);
	jo_kv_i64(&j, "listed", w->listed);
	jo_kv_i64(&j, "added", w->added);
	jo_kv_str(&j, "cursor", buf_str(&w->cursor));
	jo_end_obj(&j);
}

static int64_t
window_end(const struct repair_walk *w)
{
	return w->to - w->at > WINDOW_MS ? w->at + WINDOW_MS : w->to;
}

/* Dialpad leaves both ends out. */
void
repair_walk_path(const struct repair_walk *w, struct buf *out)
{
	buf_add_fmt(out, "/api/v2/call?limit=50&started_after=%" PRId64 "&started_before=%" PRId64,
	    w->at - 1, window_end(w) + 1);
}

bool
repair_walk_next(struct repair_walk *w)
{
	buf_clear(&w->cursor);
	if (window_end(w) == w->to)
		return false;
	w->at = window_end(w) + 1;
	return true;
}

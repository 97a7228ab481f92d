#include "workerd/batch/record_set.h"

#include "common/records/record_render.h"

enum { MAX_OBJECT_BYTES = 16 << 20 };

static int
by_id(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

/* A sorted copy without repetitions. */
static int64_t *
distinct(const int64_t *ids, int *n, struct arena *a)
{
	int64_t *out = arena_new(a, int64_t, (size_t)*n + 1);
	int kept = 0;

	if (*n > 0)
		memcpy(out, ids, sizeof *ids * (size_t)*n);
	qsort(out, (size_t)*n, sizeof *out, by_id);
	for (int i = 0; i < *n; i++)
		if (kept == 0 || out[kept - 1] != out[i])
			out[kept++] = out[i];
	*n = kept;
	return out;
}

enum err_code
record_set_load(struct db_conn *c, struct uuid app_id, const struct record_kind *kind,
    const int64_t *ids, int nids, struct arena *a, struct record_set *out, struct err *e)
{
	const int64_t *sorted = distinct(ids, &nids, a);
	enum err_code rc = ERR_OK;

	out->kind = kind;
	out->n = nids;
	out->rows = arena_new(a, struct fold_row, (size_t)nids + 1);
	out->before = arena_new(a, struct record, (size_t)nids + 1);
	out->loaded = arena_new(a, bool, (size_t)nids + 1);
	for (int i = 0; i < nids; i++) {
		out->rows[i].r.dialpad_id = sorted[i];
		out->rows[i].r.id = record_id(app_id, kind, sorted[i]);
	}
	if (nids > 0)
		rc = records_load(c, app_id, kind, out->rows, out->loaded, nids, &out->result, e);
	if (rc != ERR_OK)
		return rc;
	for (int i = 0; i < nids; i++)
		out->before[i] = out->rows[i].r;
	return ERR_OK;
}

int
record_set_find(const struct record_set *s, int64_t id)
{
	int low = 0, high = s->n - 1;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (s->rows[mid].r.dialpad_id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
record_set_fold(struct record_set *s, const struct fold_change *changes, int n, struct arena *a)
{
	for (int i = 0; i < n; i++)
		if (changes[i].kind == s->kind)
			fold_merge(
			    &s->rows[record_set_find(s, changes[i].dialpad_id)], &changes[i], a);
	for (int i = 0; i < s->n; i++)
		fold_derive(&s->rows[i], s->kind, a);
}

/* ---- the feed ---- */

static void
render(const struct record_kind *kind, const struct record *r, struct buf *out)
{
	struct json_out j;

	buf_clear(out);
	jo_init(&j, out);
	if (kind == &RECORD_CALL)
		render_call(r, &j);
	else if (kind == &RECORD_MESSAGE)
		render_message(r, &j);
	else
		render_voicemail(r, &j);
}

static int
updated_at(const struct record_kind *kind)
{
	return kind == &RECORD_CALL   ? (int)CALL_updated_at
	    : kind == &RECORD_MESSAGE ? (int)MESSAGE_updated_at
				      : (int)VOICEMAIL_updated_at;
}

static bool
any_field_changed(
    const struct record_kind *kind, const struct record *before, const struct record *now)
{
	for (int f = 0; f < kind->nfields; f++)
		if (f != updated_at(kind)
		    && !record_value_eq(kind->fields[f].type, &before->v[f], &now->v[f]))
			return true;
	return false;
}

/* Whether a client sees it; `json` is the record as it is now. When the last event came is no change
 * for a client, and of some columns nothing is shown. */
static bool
changed(const struct record_set *s, int i, struct str json, struct buf *scratch)
{
	struct record before = s->before[i];
	int f = updated_at(s->kind);

	if (!s->loaded[i])
		return true;
	before.v[f] = s->rows[i].r.v[f];
	render(s->kind, &before, scratch);
	return !str_eq(buf_str(scratch), json);
}

static bool
is_live(const struct record *call)
{
	static const struct str live[] = {
		{ "queued", 6 },
		{ "ringing", 7 },
		{ "connected", 9 },
		{ "on_hold", 7 },
		{ "parked", 6 },
	};

	for (size_t i = 0; i < sizeof live / sizeof live[0]; i++)
		if (str_eq(call->v[CALL_status].s, live[i]))
			return true;
	return false;
}

static const char *
feed_type(const struct record_set *s, int i)
{
	const struct record *now = &s->rows[i].r;
	bool is_new = !s->loaded[i];

	if (s->kind == &RECORD_VOICEMAIL)
		return is_new ? "voicemail.created" : "voicemail.updated";
	if (s->kind == &RECORD_CALL) {
		if (is_live(now))
			return is_new ? "call.started" : "call.updated";
		return is_new || is_live(&s->before[i]) ? "call.ended" : "call.updated";
	}
	if (!is_new)
		return "message.updated";
	return now->v[MESSAGE_direction].set && str_eq(now->v[MESSAGE_direction].s, STR("inbound"))
	    ? "message.received"
	    : "message.sent";
}

static void
note_changes(const struct record_set *s, struct arena *a, struct feed_list *feed)
{
	AUTO_RELEASE(buf_release) struct buf now = BUF(MAX_OBJECT_BYTES);
	AUTO_RELEASE(buf_release) struct buf before = BUF(MAX_OBJECT_BYTES);

	for (int i = 0; i < s->n; i++) {
		if (s->loaded[i] && !any_field_changed(s->kind, &s->before[i], &s->rows[i].r))
			continue;
		render(s->kind, &s->rows[i].r, &now);
		if (changed(s, i, buf_str(&now), &before))
			feed->items[feed->n++] = (struct feed_item){
				.type = feed_type(s, i),
				.object_id = s->rows[i].r.id,
				.data = arena_dup(a, buf_str(&now)),
			};
	}
}

enum err_code
record_set_save(struct db_conn *c, struct uuid app_id, struct record_set *s, struct arena *a,
    struct feed_list *feed, struct err *e)
{
	const struct fold_row **rows = arena_new(a, const struct fold_row *, (size_t)s->n + 1);
	enum err_code rc;

	for (int i = 0; i < s->n; i++)
		rows[i] = &s->rows[i];
	rc = records_save(c, app_id, s->kind, rows, s->n, a, e);
	if (rc == ERR_OK)
		note_changes(s, a, feed); /* while the server writes */
	return rc;
}

void
record_set_release(struct record_set *s)
{
	db_result_clear(&s->result);
}

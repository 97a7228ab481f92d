#include "apid/live/feed.h"

#include "apid/live/types.h"
#include "common/http/ws.h"

enum { MAX_MESSAGE_BYTES = 64 * 1024 * 1024 };

static const struct db_stmt HEADS = {
	.name = "feed_heads",
	.sql = "SELECT app_id, last_seq FROM tenant_heads WHERE app_id = ANY($1)",
};

static const struct db_stmt HEAD = {
	.name = "feed_head",
	.sql = "SELECT last_seq FROM tenant_heads WHERE app_id = $1",
};

/* Partitions for days to come are there already; the last condition keeps out of them. */
static const struct db_stmt PAGE = {
	.name = "feed_page",
	.sql = "SELECT seq, created_at, type, data FROM change_feed"
	       " WHERE app_id = $1 AND seq > $2 AND created_at < now() + interval '1 day'"
	       " ORDER BY seq LIMIT $3",
};
enum { PAGE_SEQ, PAGE_CREATED_AT, PAGE_TYPE, PAGE_DATA };

void
feed_page_release(struct feed_page *p)
{
	for (int i = 0; i < p->n; i++)
		wire_bytes_unref(p->rows[i].message);
	free(p->rows);
	db_result_clear(&p->result);
	*p = (struct feed_page){ .n = 0 };
}

/* The rows up to the first number that is missing. */
static void
take_rows(struct feed_page *p, int64_t after, int64_t limit)
{
	int found = db_rows(&p->result), n = found > limit ? (int)limit : found;

	p->rows = calloc((size_t)n + 1, sizeof *p->rows);
	if (p->rows == NULL)
		abort();
	while (p->n < n && db_i64(&p->result, p->n, PAGE_SEQ) == after + 1 + p->n) {
		struct feed_row *row = &p->rows[p->n];

		row->seq = db_i64(&p->result, p->n, PAGE_SEQ);
		row->at_ms = db_time(&p->result, p->n, PAGE_CREATED_AT);
		row->type = db_str(&p->result, p->n, PAGE_TYPE);
		row->data = db_str(&p->result, p->n, PAGE_DATA);
		row->type_bit = live_type_of(row->type);
		p->n++;
	}
	p->has_more = p->n < found;
	p->has_gap = p->n == 0 && (found > 0 || after != p->head);
}

enum err_code
feed_read(struct db_conn *c, struct uuid app_id, int64_t after, int64_t limit,
    struct feed_page *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params whose, p;
	/* The head first: a number up to it that the rows lack is one that is gone. */
	const struct db_query queries[] = { { .stmt = &HEAD, .params = &whose },
		{ .stmt = &PAGE, .params = &p } };
	struct db_result results[2] = { DB_RESULT_NONE, DB_RESULT_NONE };
	enum err_code rc;

	db_params_init(&whose);
	db_params_init(&p);
	db_p_uuid(&whose, app_id);
	db_p_uuid(&p, app_id);
	db_p_i64(&p, after);
	db_p_i64(&p, limit + 1); /* one more tells whether there are more */
	rc = db_tenant_read(c, app_id, queries, 2, results, e);
	if (rc != ERR_OK)
		return rc;
	*out = (struct feed_page){ .result = results[1] };
	if (db_rows(&results[0]) > 0)
		out->head = db_i64(&results[0], 0, 0);
	db_result_clear(&results[0]);
	take_rows(out, after, limit);
	return ERR_OK;
}

enum err_code
feed_read_heads(
    struct db_conn *c, const struct db_array *app_ids, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_array(&p, app_ids);
	return db_exec(c, &HEADS, &p, out, e);
}

void
feed_render_event(const struct feed_scope *s, const struct feed_row *row, struct json_out *j)
{
	char cursor[FEED_CURSOR_BYTES];

	jo_obj(j);
	jo_kv_str(j, "cursor", str_of(feed_cursor_format(s, row->seq, cursor)));
	jo_kv_str(j, "type", row->type);
	jo_kv_time(j, "at", row->at_ms);
	jo_key(j, "data");
	jo_raw(j, row->data);
	jo_end_obj(j);
}

struct wire_bytes *
feed_message(const struct feed_scope *s, struct feed_row *row)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_MESSAGE_BYTES);
	char cursor[FEED_CURSOR_BYTES];
	struct json_out j;

	if (row->message != NULL)
		return row->message;
	jo_init(&j, &text);
	jo_obj(&j);
	jo_kv_str(&j, "type", row->type);
	jo_kv_str(&j, "cursor", str_of(feed_cursor_format(s, row->seq, cursor)));
	jo_key(&j, "data");
	jo_raw(&j, row->data);
	jo_end_obj(&j);
	row->message = ws_text(buf_str(&text));
	return row->message;
}

#include "apid/live/events_answer.h"

#include "common/base/clock.h"

enum { MAX_BODY_BYTES = 64 * 1024 * 1024 };

void
events_begin(
    struct events_answer *a, const struct feed_scope *s, uint32_t types, int64_t limit, int64_t pos)
{
	*a = (struct events_answer){ .scope = *s, .types = types, .limit = limit, .pos = pos };
	buf_init(&a->body, MAX_BODY_BYTES);
	jo_init(&a->j, &a->body);
	jo_obj(&a->j);
	jo_key(&a->j, "events");
	jo_arr(&a->j);
}

void
events_add(struct events_answer *a, const struct feed_page *page)
{
	a->has_more = page->has_more;
	for (int i = 0; i < page->n; i++) {
		if ((page->rows[i].type_bit & a->types) != 0) {
			if (a->n == a->limit) {
				a->has_more = true;
				return;
			}
			feed_render_event(&a->scope, &page->rows[i], &a->j);
			a->n++;
		}
		a->pos = page->rows[i].seq;
	}
}

struct str
events_end(struct events_answer *a)
{
	char cursor[FEED_CURSOR_BYTES];

	jo_end_arr(&a->j);
	jo_kv_str(&a->j, "next_cursor", str_of(feed_cursor_format(&a->scope, a->pos, cursor)));
	jo_kv_bool(&a->j, "has_more", a->has_more);
	jo_end_obj(&a->j);
	return buf_str(&a->body);
}

struct str
events_resync(struct events_answer *a, int64_t head)
{
	const struct feed_row row = {
		.seq = head,
		.at_ms = clock_wall_ms(),
		.type = STR("resync"),
		.data = STR(FEED_RESYNC),
	};

	feed_render_event(&a->scope, &row, &a->j);
	a->pos = head;
	a->has_more = false;
	return events_end(a);
}

void
events_release(struct events_answer *a)
{
	buf_release(&a->body);
}

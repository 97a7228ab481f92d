/*
 * fold_kit - events given as text, folded into one row, and its columns as text again.
 *
 * Use:      FOLDED(f, &RECORD_CALL, "{'call_id':1,'state':'ringing'}", …); the row is f.row.
 *           ' stands for " in an event, so that it stays readable in C.
 * Owns:     the row's memory, until the scope ends.
 * Threads:  one.
 * Errors:   a failed assertion of the test.
 */
#ifndef CTI_FOLD_KIT_H
#define CTI_FOLD_KIT_H

#include "common/records/record_render.h"
#include "workerd/fold/fold.h"

#include <inttypes.h>

struct folder {
	const struct record_kind *kind;
	struct arena arena;
	struct fold_row row;
};

static inline void
folder_release(struct folder *f)
{
	arena_release(&f->arena);
}

static inline struct str
event_text(struct arena *a, const char *quoted)
{
	char *json = arena_cstr(a, str_of(quoted));

	for (char *p = json; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return str_of(json);
}

/* An event that begins with SWEPT is the sweeper's, with LISTED a repair's. */
#define SWEPT "sweeper:"
#define LISTED "repair:"

static inline enum fold_origin
take_origin(const char **quoted)
{
	const char *colon = strchr(*quoted, ':');
	enum fold_origin origin;

	if (**quoted == '{' || colon == NULL)
		return FOLD_DIALPAD;
	origin = fold_origin_of((struct str){ *quoted, (size_t)(colon - *quoted) });
	*quoted = colon + 1;
	return origin;
}

/* Received a second after the one before: created_at and updated_at can be told apart. */
static inline void
folder_add(struct folder *f, const char *quoted, int64_t received_at)
{
	enum fold_origin origin = take_origin(&quoted);
	struct str json = event_text(&f->arena, quoted);
	struct fold_change c;
	struct err e;

	if (fold_read_from(origin, json, received_at, &f->arena, &c, &e) != ERR_OK)
		fail_msg("%s: %s", quoted, e.msg);
	assert_ptr_equal(c.kind, f->kind);
	f->row.r.dialpad_id = c.dialpad_id;
	fold_merge(&f->row, &c, &f->arena);
}

static inline struct folder
folded(const struct record_kind *kind, const char *const *events)
{
	struct folder f = { .kind = kind };

	arena_init(&f.arena);
	for (int i = 0; events[i] != NULL; i++)
		folder_add(&f, events[i], 1000 * (i + 1));
	fold_derive(&f.row, kind, &f.arena);
	return f;
}

#define FOLDED(f, kind, ...)         \
	AUTO_RELEASE(folder_release) \
	struct folder f = folded(kind, (const char *const[]){ __VA_ARGS__, NULL })

static inline struct str
value_text(struct arena *a, enum record_type type, const struct record_value *v)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1u << 24);

	if (!v->set)
		return STR("null");
	switch (type) {
	case RECORD_I64:
	case RECORD_MS:
	case RECORD_TIME: buf_add_i64(&b, v->i); break;
	case RECORD_F64: buf_add_fmt(&b, "%.17g", v->f); break;
	case RECORD_BOOL: buf_add_c(&b, v->b ? "true" : "false"); break;
	case RECORD_TEXT:
	case RECORD_LONG:
	case RECORD_JSON: buf_add_str(&b, v->s); break;
	}
	return arena_dup(a, buf_str(&b));
}

/* ' stands for " in `want`, too; "null" for a column that is not set. */
static inline void
assert_column_(struct folder *f, int field, const char *want, const char *file, int line)
{
	const struct record_field *column = &f->kind->fields[field];
	struct str got = value_text(&f->arena, column->type, &f->row.r.v[field]);

	if (!str_eq(got, event_text(&f->arena, want))) {
		print_error("%s is %.*s, not %s\n", column->column, STR_ARG(got), want);
		_fail(file, line);
	}
}

#define assert_column(f, field, want) assert_column_(&(f), field, want, __FILE__, __LINE__)

#endif

#include "workerd/rebuild/rebuild_set.h"

#include <stdio.h>

/* Where each kind has the columns that are treated apart. */
static const struct places {
	int created_at, updated_at, sort_at;
} call_places = { CALL_created_at, CALL_updated_at, CALL_sort_at },
  message_places = { MESSAGE_created_at, MESSAGE_updated_at, MESSAGE_sort_at },
  voicemail_places = { VOICEMAIL_created_at, VOICEMAIL_updated_at, VOICEMAIL_sort_at };

static const struct places *
places(const struct record_kind *kind)
{
	return kind == &RECORD_CALL   ? &call_places
	    : kind == &RECORD_MESSAGE ? &message_places
				      : &voicemail_places;
}

/* ---- fold ---- */

static struct fold_row *
fold_from_nothing(
    const struct record_set *s, const struct fold_change *changes, int n, struct arena *a)
{
	struct fold_row *rows = arena_new(a, struct fold_row, (size_t)s->n + 1);

	for (int i = 0; i < s->n; i++) {
		rows[i].r.dialpad_id = s->rows[i].r.dialpad_id;
		rows[i].r.id = s->rows[i].r.id;
	}
	for (int i = 0; i < n; i++)
		if (changes[i].kind == s->kind)
			fold_merge(
			    &rows[record_set_find(s, changes[i].dialpad_id)], &changes[i], a);
	return rows;
}

/* A row is as old as the receipt of its first event. */
static bool
began_before_the_log(const struct record_set *s, int i, const struct fold_row *fresh)
{
	int f = places(s->kind)->created_at;

	return s->loaded[i] && s->before[i].v[f].i < fresh->r.v[f].i;
}

static void
replace(struct record_set *s, int i, const struct fold_row *fresh)
{
	int f = places(s->kind)->created_at;

	s->rows[i] = *fresh;
	if (s->loaded[i])
		s->rows[i].r.v[f] = s->before[i].v[f];
}

static void
merge(struct rebuild_set *r, const struct fold_change *changes, int n, struct arena *a)
{
	for (int i = 0; i < n; i++) {
		int at = changes[i].kind == r->s->kind
		    ? record_set_find(r->s, changes[i].dialpad_id)
		    : -1;

		if (at >= 0 && r->merged[at])
			fold_merge(&r->s->rows[at], &changes[i], a);
	}
}

void
rebuild_set_as_is(struct record_set *s, struct arena *a, struct rebuild_set *out)
{
	out->s = s;
	out->merged = arena_new(a, bool, (size_t)s->n + 1);
	out->before = arena_new(a, struct fold_row, (size_t)s->n + 1);
	for (int i = 0; i < s->n; i++) {
		out->before[i] = s->rows[i];
		out->before[i].r = s->before[i];
	}
}

void
rebuild_set_fold(struct record_set *s, const struct fold_change *changes, int n, struct arena *a,
    struct rebuild_set *out)
{
	const struct fold_row *fresh = fold_from_nothing(s, changes, n, a);

	rebuild_set_as_is(s, a, out);
	for (int i = 0; i < s->n; i++) {
		out->merged[i] = began_before_the_log(s, i, &fresh[i]);
		if (!out->merged[i])
			replace(s, i, &fresh[i]);
	}
	merge(out, changes, n, a);
	for (int i = 0; i < s->n; i++)
		fold_derive(&s->rows[i], s->kind, a);
}

/* ---- compare ---- */

static void
add_column(char columns[REBUILD_COLUMNS_BYTES], const char *name)
{
	size_t n = strlen(columns);

	(void)snprintf(columns + n, REBUILD_COLUMNS_BYTES - n, "%s%s", n == 0 ? "" : ", ", name);
}

static bool
same_clocks(const struct record_kind *kind, const struct fold_row *x, const struct fold_row *y,
    struct arena *a)
{
	return kind == &RECORD_VOICEMAIL
	    || str_eq(fold_clocks_encode(x, kind, a), fold_clocks_encode(y, kind, a));
}

static void
name_differences(const struct record_kind *kind, const struct fold_row *x, const struct fold_row *y,
    struct arena *a, char columns[REBUILD_COLUMNS_BYTES])
{
	const struct places *apart = places(kind);

	for (int f = 0; f < kind->nfields; f++)
		if (f != apart->created_at && f != apart->updated_at
		    && !record_value_eq(kind->fields[f].type, &x->r.v[f], &y->r.v[f]))
			add_column(columns, kind->fields[f].column);
	if (!same_clocks(kind, x, y, a))
		add_column(columns, "clocks");
}

static enum rebuild_kind
reported_as(const struct record_kind *kind)
{
	return kind == &RECORD_CALL   ? REBUILD_CALLS
	    : kind == &RECORD_MESSAGE ? REBUILD_MESSAGES
				      : REBUILD_VOICEMAILS;
}

/* It was deleted for its age, and its events are kept longer. */
static bool
is_past(const struct record_set *s, int i, int64_t records_from)
{
	return !s->loaded[i] && s->rows[i].r.v[places(s->kind)->sort_at].i < records_from;
}

void
rebuild_set_compare(
    struct rebuild_set *r, int64_t records_from, struct arena *a, struct rebuild_report *report)
{
	struct record_set *s = r->s;
	int kept = 0;

	for (int i = 0; i < s->n; i++) {
		struct rebuild_finding f = {
			.kind = reported_as(s->kind),
			.dialpad_id = s->rows[i].r.dialpad_id,
			.missing = !s->loaded[i],
			.merged = r->merged[i],
		};

		if (is_past(s, i, records_from))
			continue;
		if (s->loaded[i])
			name_differences(s->kind, &r->before[i], &s->rows[i], a, f.columns);
		f.different = f.columns[0] != '\0';
		rebuild_report_add(report, &f);
		if (!f.missing && !f.different)
			continue;
		s->rows[kept] = s->rows[i];
		s->before[kept] = s->before[i];
		s->loaded[kept] = s->loaded[i];
		kept++;
	}
	s->n = kept;
}

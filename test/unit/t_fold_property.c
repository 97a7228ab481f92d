/*
 * workerd/fold: every permutation and repetition of a set of events, over any batches, ends in the
 * same row. Sets are random; CTI_FOLD_SEED repeats a run, the seed is printed by each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/records/record_render.h"
#include "fold_stories.h"
#include "workerd/fold/fold.h"

#include <stdio.h>
#include <stdlib.h>

/* A few seconds with the sanitizers. FEW: how many events are tried in all their orders. */
enum {
	FEW = 6,
	MANY = 16,
	MAX_ARRIVALS = 3 * MANY,
	SETS_IN_ALL_ORDERS = 48,
	LONG_SETS = 80,
	SHUFFLES = 60
};

static uint64_t seed;

/* ---- a row that is stored and read again between batches ---- */

struct table {
	const struct record_kind *kind;
	struct arena arena; /* of the row; a new one for each batch */
	struct fold_row row;
};

static bool
is_text(enum record_type type)
{
	return type == RECORD_TEXT || type == RECORD_LONG || type == RECORD_JSON;
}

/* Only columns and clocks are in the table; all else is zero, and old memory is gone. */
static void
store_and_reload(struct table *t)
{
	struct fold_row back = { .r.dialpad_id = t->row.r.dialpad_id, .r.id = t->row.r.id };
	struct arena fresh;
	struct str clocks;

	arena_init(&fresh);
	for (int f = 0; f < t->kind->nfields; f++) {
		back.r.v[f] = t->row.r.v[f];
		if (back.r.v[f].set && is_text(t->kind->fields[f].type))
			back.r.v[f].s = arena_dup(&fresh, back.r.v[f].s);
	}
	clocks = arena_dup(&fresh, fold_clocks_encode(&t->row, t->kind, &t->arena));
	fold_clocks_decode(clocks, t->kind, &back);
	arena_release(&t->arena);
	t->arena = fresh;
	t->row = back;
}

/* ---- what must be the same in the end ---- */

struct outcome {
	struct record r;
	struct str clocks, rendered;
	bool has_voicemail;
	struct record voicemail;
};

static void
forget_receipts(struct record *r, int created_at, int updated_at)
{
	r->v[created_at].set = r->v[updated_at].set = false;
}

static struct str
rendered(const struct record_kind *kind, const struct outcome *o, struct arena *a)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1u << 22);
	struct json_out j;

	jo_init(&j, &b);
	jo_arr(&j);
	if (kind == &RECORD_CALL)
		render_call(&o->r, &j);
	else
		render_message(&o->r, &j);
	if (o->has_voicemail)
		render_voicemail(&o->voicemail, &j);
	jo_end_arr(&j);
	return arena_dup(a, buf_str(&b));
}

static void
outcome_of(struct table *t, struct outcome *out)
{
	bool call = t->kind == &RECORD_CALL;

	*out = (struct outcome){ .r = t->row.r };
	forget_receipts(&out->r, call ? (int)CALL_created_at : (int)MESSAGE_created_at,
	    call ? (int)CALL_updated_at : (int)MESSAGE_updated_at);
	out->clocks = fold_clocks_encode(&t->row, t->kind, &t->arena);
	out->has_voicemail = call && fold_voicemail(&t->row, &out->voicemail);
	if (out->has_voicemail)
		forget_receipts(&out->voicemail, VOICEMAIL_created_at, VOICEMAIL_updated_at);
	out->rendered = rendered(t->kind, out, &t->arena);
}

static const char *
first_difference(const struct record_kind *kind, const struct record *a, const struct record *b)
{
	for (int f = 0; f < kind->nfields; f++)
		if (!record_value_eq(kind->fields[f].type, &a->v[f], &b->v[f]))
			return kind->fields[f].column;
	return NULL;
}

static const char *
difference(const struct record_kind *kind, const struct outcome *a, const struct outcome *b)
{
	const char *column = first_difference(kind, &a->r, &b->r);

	if (column != NULL)
		return column;
	if (a->has_voicemail != b->has_voicemail)
		return "the voicemail";
	if (a->has_voicemail
	    && (column = first_difference(&RECORD_VOICEMAIL, &a->voicemail, &b->voicemail)) != NULL)
		return column;
	if (!str_eq(a->rendered, b->rendered))
		return "the rendering";
	return str_eq(a->clocks, b->clocks) ? NULL : "the clocks";
}

/* ---- sets of events, and the orders they arrive in ---- */

struct set {
	const struct record_kind *kind;
	struct arena arena;
	struct str events[MANY];
	struct fold_change changes[MANY];
	int n;
	struct table in_order; /* the events as they happened, in one batch */
	struct outcome want;
};

static void
fold_arrivals(
    const struct set *s, const int *arrivals, int n, struct story *random, struct table *t)
{
	*t = (struct table){ .kind = s->kind };
	arena_init(&t->arena);
	for (int i = 0; i < n; i++) {
		struct fold_change c = s->changes[arrivals[i]];

		if (random != NULL && i > 0 && story_chance(random, 35)) {
			fold_derive(&t->row, t->kind, &t->arena);
			store_and_reload(t);
		}
		t->row.r.dialpad_id = c.dialpad_id;
		fold_merge(&t->row, &c, &t->arena);
	}
	fold_derive(&t->row, t->kind, &t->arena);
}

/* Of a call some events are a repair's or the sweeper's. */
static enum fold_origin
some_origin(const struct record_kind *kind, struct story *random)
{
	int dice = story_below(random, 100);

	if (kind != &RECORD_CALL || dice < 80)
		return FOLD_DIALPAD;
	return dice < 92 ? FOLD_REPAIR : FOLD_SWEEPER;
}

static void
set_make(struct set *s, const struct record_kind *kind, struct story *random, int max)
{
	int arrivals[MANY];
	struct err e;

	s->kind = kind;
	arena_init(&s->arena);
	do
		s->n = (kind == &RECORD_CALL ? story_call : story_text)(
		    random, &s->arena, s->events, max);
	while (s->n == 0);
	for (int i = 0; i < s->n; i++) {
		arrivals[i] = i;
		assert_int_equal(fold_read_from(some_origin(kind, random), s->events[i], 1000 + i,
				     &s->arena, &s->changes[i], &e),
		    ERR_OK);
	}
	fold_arrivals(s, arrivals, s->n, NULL, &s->in_order);
	outcome_of(&s->in_order, &s->want);
}

static void
set_release(struct set *s)
{
	arena_release(&s->in_order.arena);
	arena_release(&s->arena);
}

static void
assert_same_row(const struct set *s, const int *arrivals, int n, struct story *random)
{
	struct outcome got;
	struct table t;
	const char *what;

	fold_arrivals(s, arrivals, n, random, &t);
	outcome_of(&t, &got);
	what = difference(s->kind, &s->want, &got);
	if (what != NULL) {
		for (int i = 0; i < s->n; i++)
			print_error("%d: %.*s\n", i, STR_ARG(s->events[i]));
		for (int i = 0; i < n; i++)
			print_error("%d ", arrivals[i]);
		fail_msg("CTI_FOLD_SEED=%" PRIu64 ": %s differs\nin order: %.*s\nas above: %.*s",
		    seed, what, STR_ARG(s->want.rendered), STR_ARG(got.rendered));
	}
	arena_release(&t.arena);
}

/* Every order of the first n, by exchanging each with the last in turn. */
static void
permute(const struct set *s, int *arrivals, int n, struct story *random)
{
	if (n == 1) {
		assert_same_row(s, arrivals, s->n, random);
		return;
	}
	for (int i = 0; i < n; i++) {
		int last = arrivals[n - 1];

		arrivals[n - 1] = arrivals[i];
		arrivals[i] = last;
		permute(s, arrivals, n - 1, random);
		arrivals[i] = arrivals[n - 1];
		arrivals[n - 1] = last;
	}
}

/* All of them at least once, in random order, some again. */
static int
shuffle(const struct set *s, struct story *random, int *arrivals)
{
	int n = s->n + story_below(random, 2 * s->n + 1);

	for (int i = 0; i < n; i++)
		arrivals[i] = i < s->n ? i : story_below(random, s->n);
	for (int i = n - 1; i > 0; i--) {
		int k = story_below(random, i + 1), moved = arrivals[i];

		arrivals[i] = arrivals[k];
		arrivals[k] = moved;
	}
	return n;
}

/* ---- the properties ---- */

static void
try_all_orders(const struct record_kind *kind, struct story *random)
{
	struct set s;
	int arrivals[MANY];

	set_make(&s, kind, random, FEW);
	for (int i = 0; i < s.n; i++)
		arrivals[i] = i;
	permute(&s, arrivals, s.n, random);
	set_release(&s);
}

static void
try_shuffles(const struct record_kind *kind, struct story *random)
{
	struct set s;
	int arrivals[MAX_ARRIVALS];

	set_make(&s, kind, random, MANY);
	for (int i = 0; i < SHUFFLES; i++) {
		int n = shuffle(&s, random, arrivals);

		assert_same_row(&s, arrivals, n, random);
	}
	set_release(&s);
}

static void
a_few_events_give_one_row_in_every_order(void **state)
{
	struct story random;

	(void)state;
	story_init(&random, seed);
	for (int i = 0; i < SETS_IN_ALL_ORDERS; i++)
		try_all_orders(i % 4 == 3 ? &RECORD_MESSAGE : &RECORD_CALL, &random);
}

static void
many_events_give_one_row_in_any_order_with_repetitions(void **state)
{
	struct story random;

	(void)state;
	story_init(&random, seed ^ UINT64_MAX);
	for (int i = 0; i < LONG_SETS; i++)
		try_shuffles(i % 4 == 3 ? &RECORD_MESSAGE : &RECORD_CALL, &random);
}

/* Only created_at and updated_at depend on when an event was received. */
static void
reading_an_event_twice_gives_the_same_change(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct str events[MANY];
	struct story random;
	int n;

	(void)state;
	arena_init(&a);
	story_init(&random, seed + 1);
	n = story_call(&random, &a, events, MANY);
	for (int i = 0; i < n; i++) {
		struct fold_change x, y;
		struct err e;

		assert_int_equal(fold_read(events[i], 1, &a, &x, &e), ERR_OK);
		assert_int_equal(fold_read(arena_dup(&a, events[i]), 2, &a, &y, &e), ERR_OK);
		assert_memory_equal(x.key.hash, y.key.hash, sizeof x.key.hash);
		assert_true(x.key.at == y.key.at && x.key.rank == y.key.rank);
		x.v[CALL_created_at] = y.v[CALL_created_at];
		x.v[CALL_updated_at] = y.v[CALL_updated_at];
		for (int f = 0; f < RECORD_CALL.nfields; f++)
			assert_true(record_value_eq(RECORD_CALL.fields[f].type, &x.v[f], &y.v[f]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_events_give_one_row_in_every_order),
		cmocka_unit_test(many_events_give_one_row_in_any_order_with_repetitions),
		cmocka_unit_test(reading_an_event_twice_gives_the_same_change),
	};
	const char *given = getenv("CTI_FOLD_SEED");

	seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)clock_wall_ms();
	print_message("CTI_FOLD_SEED=%" PRIu64 "\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* workerd/fold_clocks: the keys of a row survive their column, and garbage does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fold_kit.h"

#define OLD "{'call_id':1,'state':'ringing','event_timestamp':1000,'group_id':'old','date_rang':5}"
#define NEW "{'call_id':1,'state':'hangup','event_timestamp':2000,'group_id':'new','date_ended':9}"

static bool
same_key(const struct fold_key *a, const struct fold_key *b)
{
	return a->at == b->at && a->rank == b->rank
	    && memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

/* A row as it comes from the table: the values, and keys from nothing but the clocks. */
static void
reload(struct fold_row *row, const struct record_kind *kind, struct str clocks)
{
	memset(row->keys, 0x5a, sizeof row->keys);
	fold_clocks_decode(clocks, kind, row);
}

static void
assert_survives(struct folder *f)
{
	struct fold_row back = f->row;
	int kept = 0;

	reload(&back, f->kind, fold_clocks_encode(&f->row, f->kind, &f->arena));
	for (int i = 0; i < f->kind->nfields; i++) {
		enum record_rule rule = f->kind->fields[i].rule;
		bool has_key =
		    (rule == RECORD_LATEST || rule == RECORD_RANKED) && f->row.r.v[i].set;

		if (has_key && !same_key(&back.keys[i], &f->row.keys[i]))
			fail_msg("the key of %s changed", f->kind->fields[i].column);
		kept += has_key;
	}
	assert_in_range(kept, 1, f->kind->nfields);
}

static void
keys_survive_encoding_and_decoding(void **state)
{
	FOLDED(
	    call, &RECORD_CALL, OLD, NEW, "{'call_id':1,'state':'recording','was_recorded':true}");
	FOLDED(text, &RECORD_MESSAGE,
	    "{'id':1,'message_status':'pending','event_timestamp':1000,'text':'a'}",
	    "{'id':1,'message_status':'success','event_timestamp':253402300799999}");

	(void)state;
	assert_survives(&call);
	assert_survives(&text);
}

/* Every column from another event: as many keys as there can be. */
static void
a_row_may_have_a_key_of_its_own_for_every_column(void **state)
{
	AUTO_RELEASE(folder_release)
	struct folder f = folded(&RECORD_CALL, (const char *const[]){ NULL });

	(void)state;
	for (int i = 0; i < RECORD_CALL.nfields; i++) {
		f.row.r.v[i].set = true;
		f.row.keys[i].at = INT64_MIN + i;
		f.row.keys[i].rank = (uint8_t)(255 - i);
		memset(f.row.keys[i].hash, i, sizeof f.row.keys[i].hash);
	}
	assert_survives(&f);
}

static void
an_empty_row_has_clocks_too(void **state)
{
	AUTO_RELEASE(folder_release)
	struct folder f = folded(&RECORD_CALL, (const char *const[]){ NULL });
	static const struct fold_key zero;
	struct fold_row back = f.row;

	(void)state;
	reload(&back, &RECORD_CALL, fold_clocks_encode(&f.row, &RECORD_CALL, &f.arena));
	for (int i = 0; i < RECORD_CALL.nfields; i++)
		assert_true(same_key(&back.keys[i], &zero));
}

static void
columns_of_one_event_share_its_key(void **state)
{
	FOLDED(one, &RECORD_CALL, OLD);
	FOLDED(two, &RECORD_CALL, OLD, NEW);
	size_t key_bytes = 8 + 1 + FOLD_HASH_BYTES;

	(void)state;
	assert_int_equal(fold_clocks_encode(&one.row, &RECORD_CALL, &one.arena).n,
	    3 + key_bytes + (size_t)RECORD_CALL.nfields);
	assert_int_equal(fold_clocks_encode(&two.row, &RECORD_CALL, &two.arena).n,
	    3 + 2 * key_bytes + (size_t)RECORD_CALL.nfields);
}

/* A table of columns that has since grown at its end. */
static void
clocks_of_fewer_columns_leave_the_new_ones_zero(void **state)
{
	FOLDED(f, &RECORD_CALL, OLD);
	struct record_kind shorter = RECORD_CALL;
	static const struct fold_key zero;
	struct fold_row back = f.row;

	(void)state;
	shorter.nfields = CALL_target_id;
	f.row.r.v[CALL_group_id].set = true;
	reload(&back, &RECORD_CALL, fold_clocks_encode(&f.row, &shorter, &f.arena));
	assert_true(same_key(&back.keys[CALL_state], &f.row.keys[CALL_state]));
	assert_true(same_key(&back.keys[CALL_group_id], &zero));
	reload(&back, &shorter, fold_clocks_encode(&f.row, &RECORD_CALL, &f.arena));
	assert_true(same_key(&back.keys[CALL_state], &f.row.keys[CALL_state]));
}

static void
after_garbage_every_event_wins(void **state)
{
	FOLDED(f, &RECORD_CALL, NEW);

	(void)state;
	reload(&f.row, &RECORD_CALL, STR("garbage"));
	folder_add(&f, OLD, 9000);
	fold_derive(&f.row, &RECORD_CALL, &f.arena);
	assert_column(f, CALL_group_id, "old");
	assert_column(f, CALL_state, "ringing");
	assert_column(f, CALL_ended_at, "9");
}

/* Each truncation and each changed byte, at the end of memory of just that size. */
static void
damaged_clocks_are_read_without_harm(void **state)
{
	FOLDED(f, &RECORD_CALL, OLD, NEW);
	struct str clocks = fold_clocks_encode(&f.row, &RECORD_CALL, &f.arena);
	static const struct fold_key zero;
	struct fold_row back;

	(void)state;
	for (size_t n = 0; n < clocks.n; n++) {
		char *exact = malloc(n + 1);

		memcpy(exact + 1, clocks.p, n);
		reload(&back, &RECORD_CALL, (struct str){ exact + 1, n });
		for (int i = 0; i < RECORD_CALL.nfields; i++)
			assert_true(same_key(&back.keys[i], &zero));
		free(exact);
	}
	for (size_t n = 0; n < clocks.n; n++) {
		for (int v = 0; v < 256; v += 15) {
			char *exact = malloc(clocks.n);

			memcpy(exact, clocks.p, clocks.n);
			exact[n] = (char)v;
			reload(&back, &RECORD_CALL, (struct str){ exact, clocks.n });
			free(exact);
		}
	}
	reload(&back, &RECORD_CALL, STR_NONE);
	assert_true(same_key(&back.keys[CALL_state], &zero));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_survive_encoding_and_decoding),
		cmocka_unit_test(a_row_may_have_a_key_of_its_own_for_every_column),
		cmocka_unit_test(an_empty_row_has_clocks_too),
		cmocka_unit_test(columns_of_one_event_share_its_key),
		cmocka_unit_test(clocks_of_fewer_columns_leave_the_new_ones_zero),
		cmocka_unit_test(after_garbage_every_event_wins),
		cmocka_unit_test(damaged_clocks_are_read_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* common/base: str, buf, arena, err and own at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/own.h"
#include "common/base/str.h"

#include <stdio.h>

/* ---- str ---- */

static void
strings_are_compared_by_all_their_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(STR("ab"), STR("ab")));
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_true(str_eq(STR_NONE, STR("")));
	assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
	assert_false(str_eq_nocase(STR("a\0b"), STR("a\0c")));
	assert_false(str_eq_nocase(STR("[{@"), STR("{[`")));
	assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
	assert_true(str_eq_nocase(STR_NONE, STR("")));
}

static void
prefixes_are_found_in_long_enough_strings_only(void **state)
{
	(void)state;
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_true(str_starts(STR_NONE, STR("")));
	assert_false(str_starts(STR("a"), STR("ab")));
	assert_false(str_starts(STR("Abc"), STR("ab")));
	assert_true(str_starts_nocase(STR("Bearer x"), STR("bearer ")));
	assert_false(str_starts_nocase(STR("Bear"), STR("bearer ")));
}

static void
a_prefix_sorts_before_the_longer_string(void **state)
{
	(void)state;
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_true(str_cmp(STR(""), STR("a")) < 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
	assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
}

static void
blanks_are_trimmed_at_both_ends(void **state)
{
	(void)state;
	assert_true(str_eq(str_trim(STR(" \t a b\r\n")), STR("a b")));
	assert_int_equal(str_trim(STR(" \t\r\n ")).n, 0);
	assert_int_equal(str_trim(STR("")).n, 0);
	assert_null(str_trim(STR_NONE).p);
	assert_true(str_eq(str_trim(STR("\va\f")), STR("\va\f")));
}

static void
cutting_tells_an_empty_rest_from_none(void **state)
{
	struct str rest;

	(void)state;
	assert_true(str_eq(str_cut(STR("a=b=c"), '=', &rest), STR("a")));
	assert_true(str_eq(rest, STR("b=c")));
	assert_true(str_eq(str_cut(STR("a="), '=', &rest), STR("a")));
	assert_non_null(rest.p);
	assert_int_equal(rest.n, 0);
	assert_true(str_eq(str_cut(STR("a"), '=', &rest), STR("a")));
	assert_null(rest.p);
	assert_int_equal(str_cut(STR("=b"), '=', &rest).n, 0);
	assert_true(str_eq(rest, STR("b")));
	assert_int_equal(str_cut(STR_NONE, '=', &rest).n, 0);
	assert_null(rest.p);
	/* The output may be the input. */
	rest = STR("a,b");
	assert_true(str_eq(str_cut(rest, ',', &rest), STR("a")));
	assert_true(str_eq(rest, STR("b")));
}

static void
whole_numbers_are_parsed_to_the_limits_of_64_bits(void **state)
{
	static const struct {
		const char *text;
		int64_t v;
	} cases[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "007", 7 },
		{ "-1", -1 },
		{ "5137304475768569", INT64_C(5137304475768569) },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(str_to_i64(str_of(cases[i].text), INT64_MIN, INT64_MAX, &v));
		assert_true(v == cases[i].v);
	}
}

static void
texts_that_are_no_whole_number_or_out_of_range_are_refused(void **state)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "--1",
		"1-", "9223372036854775808", "-9223372036854775809", "99999999999999999999",
		"\xd9\xa1" };
	int64_t v = 42;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (str_to_i64(str_of(bad[i]), INT64_MIN, INT64_MAX, &v))
			fail_msg("accepted: %s", bad[i]);
	assert_false(str_to_i64(STR_NONE, 0, 9, &v));
	assert_false(str_to_i64(STR("10"), 0, 9, &v));
	assert_false(str_to_i64(STR("-1"), 0, 9, &v));
	assert_true(v == 42);
	assert_true(str_to_i64(STR("9"), 0, 9, &v));
}

/* ---- buf ---- */

static void
a_buf_grows_and_gives_its_content(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1 << 20);

	(void)state;
	assert_string_equal(buf_c(&b), "");
	assert_int_equal(buf_str(&b).n, 0);
	assert_non_null(buf_str(&b).p);
	for (int i = 0; i < 10000; i++)
		buf_add_fmt(&b, "%d,", i % 10);
	buf_add_i64(&b, INT64_MIN);
	buf_add_char(&b, '\0');
	buf_add_str(&b, STR_NONE);
	buf_add(&b, NULL, 0);
	buf_add_c(&b, "end");
	assert_false(b.failed);
	assert_int_equal(b.n, 20000 + 20 + 1 + 3);
	assert_int_equal(strncmp(buf_c(&b), "0,1,2,", 6), 0);
	assert_string_equal(buf_c(&b) + 20000, "-9223372036854775808");
	assert_string_equal(buf_c(&b) + 20021, "end");
}

static void
an_add_beyond_the_maximum_is_dropped_whole_and_sticks(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(4);

	(void)state;
	buf_add_c(&b, "abcd");
	assert_false(b.failed);
	buf_add_c(&b, "");
	assert_false(b.failed);
	buf_add_char(&b, 'e');
	assert_true(b.failed);
	assert_string_equal(buf_c(&b), "abcd");
	buf_clear(&b);
	assert_false(b.failed);
	buf_add_fmt(&b, "%s", "abcde");
	assert_true(b.failed);
	buf_add_c(&b, "a");
	assert_string_equal(buf_c(&b), "");
	assert_null(buf_grow(&b, 1));
	buf_clear(&b);
	assert_null(buf_grow(&b, SIZE_MAX));
	assert_true(b.failed);
}

static void
a_maximum_of_zero_takes_nothing(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(0);

	(void)state;
	buf_add_c(&b, "");
	assert_false(b.failed);
	buf_add_c(&b, "a");
	assert_true(b.failed);
	assert_string_equal(buf_c(&b), "");
}

static void
room_from_grow_is_content(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1000);
	char *at;

	(void)state;
	buf_add_c(&b, "ab");
	at = buf_grow(&b, 600);
	assert_non_null(at);
	memset(at, 'x', 600);
	buf_add_c(&b, "yz");
	assert_int_equal(b.n, 604);
	assert_int_equal(b.p[601], 'x');
	assert_int_equal(b.p[603], 'z');
}

static void
a_wiped_buf_holds_no_old_byte(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1000);

	(void)state;
	buf_add_c(&b, "secret");
	buf_wipe(&b);
	assert_int_equal(b.n, 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(b.p[i], 0);
	buf_release(&b);
	buf_wipe(&b);
	buf_release(&b);
	assert_int_equal(b.max, 1000);
}

/* ---- arena ---- */

static void
arena_memory_is_zeroed_and_aligned(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	static const size_t sizes[] = { 1, 0, 7, 16, 17, 4000, 16 * 1024, 1, 40000, 3 };
	unsigned char *p;

	(void)state;
	arena_init(&a);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			p = arena_alloc(&a, sizes[i]);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(p[k], 0);
			if (sizes[i] > 0)
				memset(p, 0xff, sizes[i]);
		}
		arena_reset(&a);
	}
}

static void
arena_pieces_do_not_overlap(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	int *items[500];

	(void)state;
	arena_init(&a);
	for (int i = 0; i < 500; i++) {
		items[i] = arena_new(&a, int, 33);
		for (int k = 0; k < 33; k++)
			items[i][k] = i;
	}
	for (int i = 0; i < 500; i++)
		assert_true(items[i][0] == i && items[i][32] == i);
}

static void
arena_copies_end_with_a_nul_and_keep_absence(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct str copy;

	(void)state;
	arena_init(&a);
	copy = arena_dup(&a, (struct str){ "abcdef", 3 });
	assert_string_equal(copy.p, "abc");
	assert_int_equal(copy.n, 3);
	assert_null(arena_dup(&a, STR_NONE).p);
	copy = arena_dup(&a, STR(""));
	assert_non_null(copy.p);
	assert_int_equal(copy.n, 0);
	assert_string_equal(arena_cstr(&a, STR_NONE), "");
}

static void
an_arena_can_be_reset_and_released_empty_and_twice(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	arena_reset(&a);
	arena_release(&a);
	(void)arena_alloc(&a, 100000);
	arena_reset(&a);
	(void)arena_alloc(&a, 10);
	(void)arena_alloc(&a, 100000);
	(void)arena_alloc(&a, 10);
	arena_reset(&a);
	arena_release(&a);
	arena_release(&a);
}

/* ---- err ---- */

static void
an_error_carries_class_and_message_and_forgets_the_sqlstate(void **state)
{
	struct err e = { .sqlstate = "23505" };

	(void)state;
	assert_int_equal(err_set(&e, ERR_CONFLICT, "row %d", 7), ERR_CONFLICT);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.msg, "row 7");
	assert_string_equal(e.sqlstate, "");
}

static void
a_message_can_be_wrapped_and_is_cut_when_too_long(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_INVALID, "inner");
	err_set(&e, ERR_UPSTREAM, "outer: %s", e.msg);
	assert_string_equal(e.msg, "outer: inner");
	err_set(&e, ERR_INVALID, "a \xc3\xa9 b\xff %.*s", 2, "\xe2\x82\xac");
	assert_string_equal(e.msg, "a \xc3\xa9 b? ??"); /* as the database wants it */
	err_set(&e, ERR_INVALID, "%0500d", 1);
	assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
}

static void
every_class_has_a_name_a_text_and_a_status(void **state)
{
	(void)state;
	for (int c = 0; c < ERR_COUNT_; c++) {
		assert_true(strlen(err_name((enum err_code)c)) > 0);
		assert_true(strlen(err_text((enum err_code)c)) > 0);
		assert_in_range(err_http_status((enum err_code)c), 200, 599);
	}
	assert_int_equal(ERR_OK, 0);
	assert_string_equal(err_name(ERR_NOT_FOUND), "NOT_FOUND");
	assert_string_equal(err_text(ERR_NOT_FOUND), "Not found");
	assert_int_equal(err_http_status(ERR_NOT_FOUND), 404);
	assert_int_equal(err_http_status(ERR_UNCERTAIN), 503);
	assert_true(err_may_repeat(ERR_UNAVAILABLE));
	assert_false(err_may_repeat(ERR_UNCERTAIN));
	assert_false(err_may_repeat(ERR_CONFLICT));
}

/* ---- own ---- */

static char *
make_owned(void)
{
	AUTO(str) char *p = strdup("owned");

	return TAKE(p);
}

static void
taken_values_outlive_their_scope_and_others_do_not(void **state)
{
	AUTO(str) char *p = make_owned();
	int pipe_fds[2];

	(void)state;
	assert_string_equal(p, "owned");
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the analyser does not know "cleanup". */
	assert_int_equal(pipe(pipe_fds), 0);
	{
		AUTO(fd) int fd = pipe_fds[0];

		assert_true(fd >= 0);
	}
	assert_int_equal(close(pipe_fds[0]), -1);
	assert_int_equal(close(pipe_fds[1]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_compared_by_all_their_bytes),
		cmocka_unit_test(prefixes_are_found_in_long_enough_strings_only),
		cmocka_unit_test(a_prefix_sorts_before_the_longer_string),
		cmocka_unit_test(blanks_are_trimmed_at_both_ends),
		cmocka_unit_test(cutting_tells_an_empty_rest_from_none),
		cmocka_unit_test(whole_numbers_are_parsed_to_the_limits_of_64_bits),
		cmocka_unit_test(texts_that_are_no_whole_number_or_out_of_range_are_refused),
		cmocka_unit_test(a_buf_grows_and_gives_its_content),
		cmocka_unit_test(an_add_beyond_the_maximum_is_dropped_whole_and_sticks),
		cmocka_unit_test(a_maximum_of_zero_takes_nothing),
		cmocka_unit_test(room_from_grow_is_content),
		cmocka_unit_test(a_wiped_buf_holds_no_old_byte),
		cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
		cmocka_unit_test(arena_pieces_do_not_overlap),
		cmocka_unit_test(arena_copies_end_with_a_nul_and_keep_absence),
		cmocka_unit_test(an_arena_can_be_reset_and_released_empty_and_twice),
		cmocka_unit_test(an_error_carries_class_and_message_and_forgets_the_sqlstate),
		cmocka_unit_test(a_message_can_be_wrapped_and_is_cut_when_too_long),
		cmocka_unit_test(every_class_has_a_name_a_text_and_a_status),
		cmocka_unit_test(taken_values_outlive_their_scope_and_others_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

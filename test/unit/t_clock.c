/* common/base/clock: instants as text and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"

#include <stdio.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

static const struct {
	const char *text;
	int64_t ms;
} known[] = {
	{ "1970-01-01T00:00:00.000Z", 0 },
	{ "1970-01-01T00:00:00.001Z", 1 },
	{ "1969-12-31T23:59:59.999Z", -1 },
	{ "1969-12-31T00:00:00.000Z", -DAY_MS },
	{ "1900-03-01T00:00:00.000Z", INT64_C(-2203891200000) },
	{ "2000-02-29T12:30:45.678Z", INT64_C(951827445678) },
	{ "2024-02-29T23:59:59.999Z", INT64_C(1709251199999) },
	{ "2026-02-04T22:11:49.824Z", INT64_C(1770243109824) },
	{ "2100-03-01T00:00:00.000Z", INT64_C(4107542400000) },
	{ "0001-01-01T00:00:00.000Z", INT64_C(-62135596800000) },
	{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
};

static void
known_instants_are_printed_and_read_back(void **state)
{
	char text[CLOCK_RFC3339_BYTES];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_string_equal(clock_format_rfc3339(known[i].ms, text), known[i].text);
		assert_true(clock_parse_rfc3339(str_of(known[i].text), &ms));
		assert_true(ms == known[i].ms);
	}
}

static void
every_tenth_day_of_ten_thousand_years_agrees_with_libc(void **state)
{
	char text[CLOCK_RFC3339_BYTES], want[64];
	int64_t ms, end = INT64_C(253402300799999);
	struct tm tm;
	time_t t;

	(void)state;
	for (int64_t at = INT64_C(-62135596800000); at <= end; at += 10 * DAY_MS - 1234567) {
		t = (time_t)((at - ((at % 1000) + 1000) % 1000) / 1000);
		assert_non_null(gmtime_r(&t, &tm));
		(void)snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		    (int)(((at % 1000) + 1000) % 1000));
		assert_string_equal(clock_format_rfc3339(at, text), want);
		assert_true(clock_parse_rfc3339(str_of(text), &ms));
		assert_true(ms == at);
	}
}

static void
instants_outside_the_years_1_to_9999_are_clamped(void **state)
{
	char text[CLOCK_RFC3339_BYTES];

	(void)state;
	assert_string_equal(clock_format_rfc3339(INT64_MIN, text), "0001-01-01T00:00:00.000Z");
	assert_string_equal(clock_format_rfc3339(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
}

static void
offsets_and_fractions_are_understood(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T18:30:00-05:30", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "1970-01-01T00:00:00.5Z", 500 },
		{ "1970-01-01T00:00:00.05Z", 50 },
		{ "1970-01-01T00:00:00.123456789012Z", 123 },
		{ "1969-12-31T23:59:59.9999+00:00", -1 },
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(clock_parse_rfc3339(str_of(cases[i].text), &ms));
		assert_true(ms == cases[i].ms);
	}
}

static void
texts_that_are_no_instant_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"Z",
		"2026",
		"2026-02-04",
		"2026-02-04T22:11:49",
		"2026-02-04 22:11:49Z",
		"2026-02-04t22:11:49z",
		"2026-02-04T22:11:49.Z",
		"2026-02-04T22:11:49.8",
		"2026-02-04T22:11:49.824Z ",
		" 2026-02-04T22:11:49.824Z",
		"2026-02-04T22:11:49.824ZZ",
		"2026-02-30T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00+01:60",
		"2026-01-01T00:00:00+0100",
		"2026-01-01T00:00:00+01",
		"0000-01-01T00:00:00Z",
		"-001-01-01T00:00:00Z",
		"+026-01-01T00:00:00Z",
		"2026-1-01T00:00:00Z",
		"20260101T000000Z",
		"0001-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
	};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (clock_parse_rfc3339(str_of(bad[i]), &ms))
			fail_msg("accepted: %s", bad[i]);
		assert_true(ms == 42);
	}
	assert_false(clock_parse_rfc3339(STR_NONE, &ms));
}

static void
every_cut_of_a_good_text_is_refused(void **state)
{
	struct str good = STR("2026-02-04T22:11:49.824+01:00");
	int64_t ms;

	(void)state;
	for (size_t n = 0; n < good.n; n++)
		assert_false(clock_parse_rfc3339((struct str){ good.p, n }, &ms));
}

static void
monotonic_time_passes_while_sleeping(void **state)
{
	int64_t before = clock_mono_us();

	(void)state;
	clock_sleep_ms(5);
	assert_true(clock_mono_us() - before >= 5000);
	clock_sleep_ms(0);
	clock_sleep_ms(-1);
	assert_true(clock_mono_ms() >= before / 1000);
}

static void
wall_time_agrees_with_libc(void **state)
{
	int64_t apart = clock_wall_ms() / 1000 - (int64_t)time(NULL);

	(void)state;
	assert_true(apart >= -1 && apart <= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants_are_printed_and_read_back),
		cmocka_unit_test(every_tenth_day_of_ten_thousand_years_agrees_with_libc),
		cmocka_unit_test(instants_outside_the_years_1_to_9999_are_clamped),
		cmocka_unit_test(offsets_and_fractions_are_understood),
		cmocka_unit_test(texts_that_are_no_instant_are_refused),
		cmocka_unit_test(every_cut_of_a_good_text_is_refused),
		cmocka_unit_test(monotonic_time_passes_while_sleeping),
		cmocka_unit_test(wall_time_agrees_with_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* common/json/json_in: what is taken, what is refused, and how values are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/json/json_in.h"

#include <stdio.h>

enum { ROOM = 1 << 20 };

#define FFFD "\xef\xbf\xbd"

/* ---- reading ---- */

static struct json *
parsed(struct str text)
{
	struct json *doc = NULL;
	struct err e = { 0 };

	if (json_parse(text, &doc, &e) != ERR_OK)
		fail_msg("%.*s: %s", STR_ARG(text), e.msg);
	return doc;
}

static void
assert_refused(struct str text)
{
	struct json *doc = NULL;
	struct err e;

	if (json_parse(text, &doc, &e) == ERR_OK) {
		json_free(doc);
		fail_msg("taken for JSON: %.*s", STR_ARG(text));
	}
	assert_int_equal(e.code, ERR_INVALID);
	assert_null(doc);
}

/* n times `open`, a 1, n times `close`. */
static struct str
nested(struct arena *a, const char *open, const char *close, int n)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(ROOM);

	for (int i = 0; i < n; i++)
		buf_add_c(&b, open);
	buf_add_char(&b, '1');
	for (int i = 0; i < n; i++)
		buf_add_c(&b, close);
	return arena_dup(a, buf_str(&b));
}

static void
nesting_is_limited(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;

	(void)state;
	arena_init(&a);
	json_free(parsed(nested(&a, "[", "]", 64)));
	json_free(parsed(nested(&a, "{\"k\":", "}", 64)));
	json_free(parsed(STR(
	    "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"]")));
	assert_refused(nested(&a, "[", "]", 65));
	assert_refused(nested(&a, "{\"k\":", "}", 65));
	assert_refused(nested(&a, "[", "]", 100000));
	assert_refused(nested(&a, "[", "", 100000));
}

static void
what_is_no_single_json_value_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "}", "{\"a\"}", "{\"a\":}", "[1,]", "nul",
		"{'a':1}", "{} {}", "{}x", "1 2", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
		"\"\\", "\"\\u", "\\u0000", "[1\\u0000]" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(str_of(bad[i]));
	assert_refused(STR_NONE);
	assert_refused(STR("{}\0"));
	assert_refused(STR("{\"a\":\"x\0y\"}"));
	json_free(parsed(STR(" \t\r\n{\"a\":1}\r\n ")));
}

/* A view that ends where the memory ends: nothing behind it may be read. */
static void
every_truncation_is_refused_without_reading_on(void **state)
{
	static const char text[] =
	    "{\"a\":[1,true,null,\"\\ud83d\\ude00\\u0000\"],\"b\":{\"c\":-1.5e3}}";

	(void)state;
	for (size_t n = 0; n < sizeof text - 1; n++) {
		char *exact = malloc(n + 1);

		memcpy(exact + 1, text, n);
		assert_refused((struct str){ exact + 1, n });
		free(exact);
	}
}

static void
assert_reads_as(const char *json, struct str want)
{
	AUTO(json) struct json *doc = parsed(str_of(json));
	struct str s;

	assert_true(json_to_str(doc, &s));
	if (!str_eq(s, want))
		fail_msg("%s reads as \"%.*s\", not \"%.*s\"", json, STR_ARG(s), STR_ARG(want));
}

static void
escapes_that_no_text_can_hold_read_as_the_replacement_character(void **state)
{
	(void)state;
	assert_reads_as("\"a\\u0000b\"", STR("a" FFFD "b"));
	assert_reads_as("\"\\ud800\"", STR(FFFD));
	assert_reads_as("\"\\udc00\"", STR(FFFD));
	assert_reads_as("\"\\uDC00\\uD800x\"", STR(FFFD FFFD "x"));
	assert_reads_as("\"\\udc00\\udc01\"", STR(FFFD FFFD));
	assert_reads_as("\"\\ud800\\u0041\"", STR(FFFD "A"));
	assert_reads_as("\"\\ud800\\n\"", STR(FFFD "\n"));
	assert_reads_as("\"\\ud800\\ud83d\\ude00\"", STR(FFFD "\xf0\x9f\x98\x80"));
	assert_reads_as("\"\\ud800\\u0000\"", STR(FFFD FFFD));
}

static void
escapes_that_are_sound_stay_as_they_are(void **state)
{
	(void)state;
	assert_reads_as("\"\\ud83d\\ude00\"", STR("\xf0\x9f\x98\x80"));
	assert_reads_as("\"\\\\u0000\"", STR("\\u0000"));
	assert_reads_as("\"\\\\\\u0000\"", STR("\\" FFFD));
	assert_reads_as("\"\\\\\\\\ud800\\u0000\"", STR("\\\\ud800" FFFD));
	assert_reads_as("\"\\\\ud800\"", STR("\\ud800"));
	assert_reads_as("\"\\u0001\\u00e9\\b\\f\\/\\\"\"", STR("\x01\xc3\xa9\b\f/\""));
}

static void
replaced_escapes_leave_keys_and_the_rest_alone(void **state)
{
	AUTO(json)
	struct json *doc = parsed(STR("{\"a\\u0000\":1,\"\\\"b\":\"\\\"\\u0000\",\"c\":[\"{\"]}"));
	struct str s;
	int64_t n;

	(void)state;
	assert_true(json_get_i64(doc, "a" FFFD, &n));
	assert_true(json_get_str(doc, "\"b", &s) && str_eq(s, STR("\"" FFFD)));
	assert_true(json_is_arr(json_get(doc, "c")));
}

static bool
reads_i64(const char *json, int64_t *out)
{
	AUTO(json) struct json *doc = parsed(str_of(json));

	return json_to_i64(doc, out);
}

static void
whole_numbers_come_as_numbers_or_digits(void **state)
{
	static const struct {
		const char *json;
		int64_t want;
	} good[] = { { "5137304475768569", 5137304475768569 },
		{ "\"5137304475768569\"", 5137304475768569 },
		{ "6286560707051431", 6286560707051431 }, { "\"9223372036854775807\"", INT64_MAX },
		{ "\"-9223372036854775808\"", INT64_MIN }, { "0", 0 }, { "-7", -7 },
		{ "1e3", 1000 }, { "9007199254740991", 9007199254740991 },
		{ "-9007199254740991", -9007199254740991 } };
	static const char *const bad[] = { "1.5", "\"1.5\"", "\"\"", "\" 1\"", "\"1 \"", "\"+1\"",
		"\"0x1\"", "\"9223372036854775808\"", "\"-9223372036854775809\"", "1e300", "1e999",
		"true", "null", "[]",
		/* A double does not tell these from their neighbours. */
		"9007199254740992", "9007199254740993", "-9007199254740993" };
	int64_t n = 42;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(reads_i64(good[i].json, &n));
		assert_int_equal(n, good[i].want);
	}
	n = 42;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (reads_i64(bad[i], &n))
			fail_msg("%s reads as %lld", bad[i], (long long)n);
	assert_int_equal(n, 42);
}

static void
fractions_come_as_numbers_or_text(void **state)
{
	AUTO(json)
	struct json *doc = parsed(
	    STR("{\"a\":4.41,\"b\":\"4.41\",\"c\":\"4.41x\",\"d\":\"\",\"e\":1e999,\"f\":\"nan\","
		"\"g\":\"inf\",\"h\":true}"));
	double d = 7;

	(void)state;
	assert_true(json_get_f64(doc, "a", &d) && d > 4.40 && d < 4.42);
	assert_true(json_get_f64(doc, "b", &d) && d > 4.40 && d < 4.42);
	d = 7;
	for (const char *key = "cdefghi"; *key != '\0'; key++)
		assert_false(json_get_f64(doc, (char[]){ *key, '\0' }, &d));
	assert_true(d > 6.9 && d < 7.1);
}

static void
getters_tell_absent_null_and_other_types_from_a_value(void **state)
{
	AUTO(json)
	struct json *doc =
	    parsed(STR("{\"n\":null,\"s\":\"x\",\"i\":1,\"b\":false,\"a\":[{\"k\":2}]}"));
	bool b = true;
	struct str s = STR("kept");
	int64_t i = 5;

	(void)state;
	assert_false(
	    json_get_str(doc, "n", &s) || json_get_str(doc, "i", &s) || json_get_str(doc, "z", &s));
	assert_false(json_get_i64(doc, "n", &i) || json_get_i64(doc, "b", &i)
	    || json_get_i64(NULL, "i", &i));
	assert_false(json_get_bool(doc, "n", &b) || json_get_bool(doc, "i", &b)
	    || json_get_bool(doc, "s", &b));
	assert_true(str_eq(s, STR("kept")) && i == 5 && b);
	assert_true(json_get_bool(doc, "b", &b) && !b);
	assert_true(json_is_null(json_get(doc, "n")) && !json_is_null(json_get(doc, "z")));
	assert_null(json_get(doc, "S"));
	assert_null(json_get(json_get(doc, "s"), "k"));
	assert_null(json_get(json_get(doc, "a"), "k"));
	assert_null(json_first(json_get(doc, "s")));
	assert_true(json_get_i64(json_first(json_get(doc, "a")), "k", &i) && i == 2);
	assert_string_equal(json_key(json_next(json_first(doc))), "s");
}

static void
of_duplicate_keys_the_first_counts(void **state)
{
	AUTO(json) struct json *doc = parsed(STR("{\"a\":1,\"b\":0,\"a\":2}"));
	int64_t n;

	(void)state;
	assert_true(json_get_i64(doc, "a", &n));
	assert_int_equal(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(what_is_no_single_json_value_is_refused),
		cmocka_unit_test(every_truncation_is_refused_without_reading_on),
		cmocka_unit_test(escapes_that_no_text_can_hold_read_as_the_replacement_character),
		cmocka_unit_test(escapes_that_are_sound_stay_as_they_are),
		cmocka_unit_test(replaced_escapes_leave_keys_and_the_rest_alone),
		cmocka_unit_test(whole_numbers_come_as_numbers_or_digits),
		cmocka_unit_test(fractions_come_as_numbers_or_text),
		cmocka_unit_test(getters_tell_absent_null_and_other_types_from_a_value),
		cmocka_unit_test(of_duplicate_keys_the_first_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* common/json: json_out, and json_copy, which writes again what was read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/json/json_copy.h"
#include "common/json/json_out.h"

#include <math.h>

enum { ROOM = 1 << 20 };

#define FFFD "\xef\xbf\xbd"

/* ---- writing ---- */

#define assert_written(want, ...)                                    \
	do {                                                         \
		AUTO_RELEASE(buf_release) struct buf b_ = BUF(ROOM); \
		struct json_out j;                                   \
		jo_init(&j, &b_);                                    \
		__VA_ARGS__;                                         \
		assert_false(b_.failed);                             \
		assert_string_equal(buf_c(&b_), want);               \
	} while (0)

static void
integers_of_64_bits_are_written_exactly(void **state)
{
	(void)state;
	assert_written("5137304475768569", jo_i64(&j, 5137304475768569));
	assert_written("6286560707051431", jo_i64(&j, 6286560707051431));
	assert_written("9223372036854775807", jo_i64(&j, INT64_MAX));
	assert_written("-9223372036854775808", jo_i64(&j, INT64_MIN));
	assert_written("0", jo_i64(&j, 0));
	assert_written("-1", jo_i64(&j, -1));
}

static void
text_is_escaped_where_json_asks_for_it(void **state)
{
	(void)state;
	assert_written("\"\"", jo_str(&j, STR("")));
	assert_written("null", jo_str(&j, STR_NONE));
	assert_written("\"a\\\"b\\\\c/\"", jo_str(&j, STR("a\"b\\c/")));
	assert_written(
	    "\"\\n\\r\\t\\u0008\\u001f\\u0000\x7f\"", jo_str(&j, STR("\n\r\t\b\x1f\0\x7f")));
	assert_written("\"Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80\"",
	    jo_str(&j, STR("Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80")));
}

static void
bytes_that_are_no_utf_8_become_the_replacement_character(void **state)
{
	(void)state;
	assert_written("\"a" FFFD "b\"",
	    jo_str(&j,
		STR("a\xff"
		    "b")));
	assert_written("\"" FFFD FFFD "\"", jo_str(&j, STR("\xc0\xaf")));          /* overlong */
	assert_written("\"" FFFD FFFD FFFD "\"", jo_str(&j, STR("\xed\xa0\x80"))); /* a surrogate */
	assert_written("\"x" FFFD FFFD "\"", jo_str(&j, STR("x\xe2\x82")));        /* cut off */
	assert_written("\"" FFFD "\\\"\"", jo_str(&j, STR("\xe2\"")));
	assert_written("\"" FFFD FFFD FFFD FFFD "\"", jo_str(&j, STR("\xf4\x90\x80\x80")));
}

static void
commas_follow_the_nesting(void **state)
{
	(void)state;
	assert_written("{}", jo_obj(&j); jo_end_obj(&j));
	assert_written("[[],{},[1,2],null]", jo_arr(&j); jo_arr(&j); jo_end_arr(&j); jo_obj(&j);
		       jo_end_obj(&j); jo_arr(&j); jo_i64(&j, 1); jo_i64(&j, 2); jo_end_arr(&j);
		       jo_null(&j); jo_end_arr(&j));
	assert_written("{\"a\":{\"b\":[true]},\"c\":null,\"d\":\"x\"}", jo_obj(&j); jo_key(&j, "a");
		       jo_obj(&j); jo_key(&j, "b"); jo_arr(&j); jo_bool(&j, true); jo_end_arr(&j);
		       jo_end_obj(&j); jo_key(&j, "c"); jo_null(&j); jo_kv_str(&j, "d", STR("x"));
		       jo_end_obj(&j));
	assert_written("{\"q\\\"\":1,\"n\":2,\"b\":false}", jo_obj(&j); jo_key_str(&j, STR("q\""));
		       jo_i64(&j, 1); jo_kv_i64(&j, "n", 2); jo_kv_bool(&j, "b", false);
		       jo_end_obj(&j));
}

static void
raw_json_instants_and_uuids_are_values_like_any_other(void **state)
{
	(void)state;
	assert_written("[{\"a\":1},null,\"2026-02-04T22:11:49.824Z\","
		       "\"00000000-0000-0000-0000-000000000000\"]",
		       jo_arr(&j);
		       jo_raw(&j, STR("{\"a\":1}")); jo_raw(&j, STR_NONE);
		       jo_time(&j, 1770243109824); jo_uuid(&j, UUID_NIL); jo_end_arr(&j));
}

static void
nesting_may_be_as_deep_as_the_header_says(void **state)
{
	(void)state;
	assert_written("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
		       for (int i = 0; i < 31; i++) jo_arr(&j);
		       jo_i64(&j, 1); for (int i = 0; i < 31; i++) jo_end_arr(&j));
}

static void
doubles_are_short_and_read_back_the_same(void **state)
{
	static const double values[] = { 0.1, 4.41, 1e300, -2.5e-7, 1.0 / 3, 0x1p-1074,
		0x1.fffffffffffffp1023, 123456789.123456, 0.1 + 0.2 };

	(void)state;
	assert_written("4.41", jo_f64(&j, 4.41));
	assert_written("0.1", jo_f64(&j, 0.1));
	assert_written("5", jo_f64(&j, 5));
	assert_written("0.30000000000000004", jo_f64(&j, 0.1 + 0.2));
	assert_written("[null,null,null]", jo_arr(&j); jo_f64(&j, NAN); jo_f64(&j, INFINITY);
		       jo_f64(&j, -INFINITY); jo_end_arr(&j));
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		AUTO_RELEASE(buf_release) struct buf b = BUF(ROOM);
		AUTO(json) struct json *v = NULL;
		struct json_out j;
		struct err e;
		double back;

		jo_init(&j, &b);
		jo_f64(&j, values[i]);
		assert_int_equal(json_parse(buf_str(&b), &v, &e), ERR_OK);
		assert_true(json_to_f64(v, &back));
		assert_memory_equal(&back, &values[i], sizeof back);
	}
}

/* ---- copying ---- */

static void
assert_copied(struct str text, const char *want)
{
	AUTO(json) struct json *doc = NULL;
	struct err e;

	assert_int_equal(json_parse(text, &doc, &e), ERR_OK);
	assert_written(want, json_copy(doc, &j));
}

/* A 1 inside n arrays. */
static struct str
nested(struct arena *a, int n)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(ROOM);

	for (int i = 0; i < n; i++)
		buf_add_char(&b, '[');
	buf_add_char(&b, '1');
	for (int i = 0; i < n; i++)
		buf_add_char(&b, ']');
	return arena_dup(a, buf_str(&b));
}

static void
a_copy_says_the_same_in_canonical_form(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;

	(void)state;
	arena_init(&a);
	assert_copied(
	    STR("{ \"b\" : [ 1.0 , 2.5, \"\\u0041\\u0000\", true, null ], \"a\\n\" : {} }"),
	    "{\"b\":[1,2.5,\"A" FFFD "\",true,null],\"a\\n\":{}}");
	assert_copied(STR("[5137304475768569,\"5137304475768569\",1e999]"),
	    "[5137304475768569,\"5137304475768569\",null]");
	assert_copied(nested(&a, 15), "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]");
	assert_copied(nested(&a, 16), "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
	assert_copied(nested(&a, 17), "[[[[[[[[[[[[[[[[null]]]]]]]]]]]]]]]]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_of_64_bits_are_written_exactly),
		cmocka_unit_test(text_is_escaped_where_json_asks_for_it),
		cmocka_unit_test(bytes_that_are_no_utf_8_become_the_replacement_character),
		cmocka_unit_test(commas_follow_the_nesting),
		cmocka_unit_test(raw_json_instants_and_uuids_are_values_like_any_other),
		cmocka_unit_test(nesting_may_be_as_deep_as_the_header_says),
		cmocka_unit_test(doubles_are_short_and_read_back_the_same),
		cmocka_unit_test(a_copy_says_the_same_in_canonical_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

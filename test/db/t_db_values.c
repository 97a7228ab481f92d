/*
 * Values of every type, there and back.
 * Needs TEST_DATABASE_URL (see db_test.h).
 */
#include "test/db/db_test.h"

static struct db_conn *conn;

static int
open_conn(void **state)
{
	(void)state;
	conn = test_connect();
	return 0;
}

static int
close_conn(void **state)
{
	(void)state;
	db_close(conn);
	return 0;
}

static void
assert_str(struct str got, struct str want)
{
	assert_non_null(got.p);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

static void
numbers_come_back_as_they_went(void **state)
{
	static const struct db_stmt s = { "numbers",
		"SELECT $1, $2, $3, $4, $5, $6, (-7)::int2, 1.5::float4, 4294967295::oid" };
	struct db_result r = DB_RESULT_NONE;
	struct db_params p;

	(void)state;
	db_params_init(&p);
	db_p_i64(&p, INT64_MIN);
	db_p_i64(&p, INT64_MAX);
	db_p_i32(&p, INT32_MIN);
	db_p_bool(&p, true);
	db_p_bool(&p, false);
	db_p_f64(&p, -0.1);
	MUST(db_exec(conn, &s, &p, &r, e));
	assert_true(db_i64(&r, 0, 0) == INT64_MIN);
	assert_true(db_i64(&r, 0, 1) == INT64_MAX);
	assert_int_equal(db_i64(&r, 0, 2), INT32_MIN);
	assert_true(db_bool(&r, 0, 3));
	assert_false(db_bool(&r, 0, 4));
	assert_true(db_f64(&r, 0, 5) == -0.1);
	assert_int_equal(db_i64(&r, 0, 6), -7);
	assert_true(db_f64(&r, 0, 7) == 1.5);
	assert_int_equal(db_i64(&r, 0, 8), UINT32_MAX);
	db_result_clear(&r);
	db_params_release(&p);
}

static void
instants_keep_their_millisecond(void **state)
{
	static const struct db_stmt s = { "instants",
		"SELECT $1, $2, $1 = timestamptz '1969-12-31 23:59:59.999Z',"
		" timestamptz '1969-12-31 23:59:59.999999Z', timestamptz 'infinity',"
		" extract(hour FROM timestamptz '2026-02-04T22:11:49.824Z')::int" };
	struct db_result r = DB_RESULT_NONE;
	struct db_params p;

	(void)state;
	db_params_init(&p);
	db_p_time(&p, -1);
	db_p_time(&p, INT64_C(1770243109824));
	MUST(db_exec(conn, &s, &p, &r, e));
	assert_int_equal(db_time(&r, 0, 0), -1);
	assert_int_equal(db_time(&r, 0, 1), INT64_C(1770243109824));
	assert_true(db_bool(&r, 0, 2));
	assert_int_equal(db_time(&r, 0, 3), -1); /* rounded down */
	assert_true(db_time(&r, 0, 4) == INT64_MAX);
	assert_int_equal(db_i64(&r, 0, 5), 22); /* the session's time zone is UTC */
	db_result_clear(&r);
	db_params_release(&p);
}

static void
texts_json_and_bytes_come_back_verbatim(void **state)
{
	static const struct db_stmt s = { "texts", "SELECT $1, $2, $3, $4, '{\"a\": 1}'::jsonb" };
	static const char json[] = "{ \"b\":9007199254740993.10,  \"a\" : \"\\u00e9\", \"b\":1 }\n";
	struct str bytes = STR("\0\\x00'\xff\0"), text = { NULL, 0 };
	struct db_result r = DB_RESULT_NONE;
	struct db_params p;
	char all[127];

	(void)state;
	for (int i = 1; i <= 127; i++)
		all[i - 1] = (char)i;
	text = (struct str){ all, sizeof(all) };
	db_params_init(&p);
	db_p_text(&p, text);
	db_p_json(&p, str_of(json));
	db_p_bytea(&p, bytes);
	db_p_text(&p, STR("\xc3\xa9\xf0\x9f\x93\x9e"));
	MUST(db_exec(conn, &s, &p, &r, e));
	assert_str(db_str(&r, 0, 0), text);
	assert_str(db_str(&r, 0, 1), str_of(json));
	assert_str(db_str(&r, 0, 2), bytes);
	assert_str(db_str(&r, 0, 3), STR("\xc3\xa9\xf0\x9f\x93\x9e"));
	assert_str(db_str(&r, 0, 4), STR("{\"a\": 1}"));
	db_result_clear(&r);
	db_params_release(&p);
}

static void
null_is_null_and_empty_is_not(void **state)
{
	static const struct db_stmt s = { "nulls", "SELECT $1, $2, $3, $4, $5, $6, $7, $8" };
	struct db_result r = DB_RESULT_NONE;
	struct db_params p;

	(void)state;
	db_params_init(&p);
	db_p_null(&p, DB_I64);
	db_p_null(&p, DB_BOOL);
	db_p_null(&p, DB_F64);
	db_p_null(&p, DB_TIME);
	db_p_null(&p, DB_UUID);
	db_p_text(&p, STR_NONE);
	db_p_text(&p, STR(""));
	db_p_bytea(&p, STR(""));
	MUST(db_exec(conn, &s, &p, &r, e));
	for (int col = 0; col < 8; col++)
		assert_int_equal(db_null(&r, 0, col), col < 6);
	assert_int_equal(db_i64(&r, 0, 0), 0);
	assert_false(db_bool(&r, 0, 1));
	assert_true(db_f64(&r, 0, 2) == 0);
	assert_int_equal(db_time(&r, 0, 3), 0);
	assert_true(uuid_eq(db_uuid(&r, 0, 4), UUID_NIL));
	assert_null(db_str(&r, 0, 5).p);
	assert_str(db_str(&r, 0, 6), STR(""));
	assert_str(db_str(&r, 0, 7), STR(""));
	db_result_clear(&r);
	db_params_release(&p);
}

/* Each array is compared with PostgreSQL's own reading of the literal. */
static void
arrays_are_what_postgresql_takes_them_for(void **state)
{
	static const struct db_stmt s = { "arrays",
		"SELECT $1 = '{1,NULL,-9223372036854775808}'::int8[], $2 = '{7}'::int4[],"
		" $3 = '{t,f,NULL}'::bool[], $4 = '{0.5}'::float8[],"
		" $5 = '{\"1969-12-31 23:59:59.999Z\"}'::timestamptz[],"
		" $6 = '{00000000-0000-0000-0000-000000000000,NULL}'::uuid[],"
		" $7 = ARRAY['a,\"b', NULL, '']::text[], $8 = ARRAY['\\x00ff']::bytea[],"
		" $9::text = '{}' AND $9 = '{}'::text[], $10[1]::text = '{\"x\" : 1}'" };
	enum { N = 10 };
	static const enum db_type types[N] = { DB_I64, DB_I32, DB_BOOL, DB_F64, DB_TIME, DB_UUID,
		DB_TEXT, DB_BYTEA, DB_TEXT, DB_JSON };
	struct db_result r = DB_RESULT_NONE;
	struct db_params p;
	struct db_array a[N];

	(void)state;
	for (int i = 0; i < N; i++)
		db_array_init(&a[i], types[i]);
	db_array_i64(&a[0], 1);
	db_array_null(&a[0]);
	db_array_i64(&a[0], INT64_MIN);
	db_array_i32(&a[1], 7);
	db_array_bool(&a[2], true);
	db_array_bool(&a[2], false);
	db_array_null(&a[2]);
	db_array_f64(&a[3], 0.5);
	db_array_time(&a[4], -1);
	db_array_uuid(&a[5], UUID_NIL);
	db_array_null(&a[5]);
	db_array_bytes(&a[6], STR("a,\"b"));
	db_array_bytes(&a[6], STR_NONE);
	db_array_bytes(&a[6], STR(""));
	db_array_bytes(&a[7], STR("\0\xff"));
	db_array_bytes(&a[9], STR("{\"x\" : 1}"));
	db_params_init(&p);
	for (int i = 0; i < N; i++)
		db_p_array(&p, &a[i]);
	MUST(db_exec(conn, &s, &p, &r, e));
	for (int i = 0; i < N; i++) {
		if (!db_bool(&r, 0, i))
			fail_msg("array %d", i + 1);
		db_array_release(&a[i]);
	}
	db_result_clear(&r);
	db_params_release(&p);
}

int
main(void)
{
#define WITH_CONN(test) cmocka_unit_test_setup_teardown(test, open_conn, close_conn)
	const struct CMUnitTest tests[] = {
		WITH_CONN(numbers_come_back_as_they_went),
		WITH_CONN(instants_keep_their_millisecond),
		WITH_CONN(texts_json_and_bytes_come_back_verbatim),
		WITH_CONN(null_is_null_and_empty_is_not),
		WITH_CONN(arrays_are_what_postgresql_takes_them_for),
	};

	return TEST_RUN(tests);
}

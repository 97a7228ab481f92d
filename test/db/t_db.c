/*
 * Values of every type there and back, statements, classes of errors.
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

static void
rows_and_affected_rows_are_counted(void **state)
{
	static const struct db_stmt add = { "add",
		"INSERT INTO t_db.t SELECT i, 0 FROM generate_series(1, 3) i" };
	static const struct db_stmt get = { "get", "SELECT id, v FROM t_db.t ORDER BY id" };
	struct db_result r = DB_RESULT_NONE;

	(void)state;
	MUST(db_begin(conn, e));
	MUST(db_exec(conn, &add, NULL, &r, e));
	assert_int_equal(db_rows(&r), 0);
	assert_int_equal(db_affected(&r), 3);
	db_result_clear(&r);
	MUST(db_exec(conn, &get, NULL, &r, e));
	assert_int_equal(db_rows(&r), 3);
	assert_int_equal(db_i64(&r, 2, 0), 3);
	db_result_clear(&r);
	db_rollback(conn);
}

static const struct db_stmt PREPARED = { "prepared",
	"SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'prepared%'" };

static void
a_statement_is_prepared_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(test_number(conn, &PREPARED, NULL), 1);
}

static void
unnamed_mode_prepares_nothing(void **state)
{
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;

	(void)state;
	o.unnamed = true;
	MUST(db_connect(&o, &c, e));
	for (int i = 0; i < 2; i++)
		assert_int_equal(test_number(c, &PREPARED, NULL), 0);
	db_close(c);
}

static void
a_statement_that_the_server_forgot_is_prepared_again(void **state)
{
	(void)state;
	assert_int_equal(test_number(conn, &PREPARED, NULL), 1);
	MUST(db_command(conn, "DEALLOCATE ALL", e));
	assert_int_equal(test_number(conn, &PREPARED, NULL), 1);
	MUST(db_command(conn, "DEALLOCATE ALL", e));
	MUST(db_begin(conn, e));
	EXPECT(ERR_UNAVAILABLE, db_exec(conn, &PREPARED, NULL, NULL, e));
	db_rollback(conn);
	assert_int_equal(test_number(conn, &PREPARED, NULL), 1);
}

static void
a_statement_whose_columns_changed_is_prepared_again(void **state)
{
	static const struct db_stmt s = { "star", "SELECT * FROM t_db.changing" };

	(void)state;
	MUST(db_command(conn, "CREATE TABLE t_db.changing AS SELECT 1 AS v", e));
	assert_int_equal(test_number(conn, &s, NULL), 1);
	MUST(db_command(conn, "ALTER TABLE t_db.changing ALTER v TYPE int8", e));
	assert_int_equal(test_number(conn, &s, NULL), 1);
	MUST(db_command(conn, "DROP TABLE t_db.changing", e));
}

static void
other_parameter_types_are_refused(void **state)
{
	static const struct db_stmt s = { "typed", "SELECT $1 IS NULL" };
	struct db_params p;

	(void)state;
	db_params_init(&p);
	db_p_i64(&p, 1);
	MUST(db_exec(conn, &s, &p, NULL, e));
	db_params_clear(&p);
	db_p_text(&p, STR("x"));
	EXPECT(ERR_INTERNAL, db_exec(conn, &s, &p, NULL, e));
	db_params_release(&p);
}

static void
errors_have_the_class_of_their_sqlstate(void **state)
{
	static const struct {
		struct db_stmt s;
		const char *sqlstate;
		enum err_code code;
	} rows[] = {
		{ { "a", "SELECT 'x'::text::json" }, "22P02", ERR_INVALID },
		{ { "b", "SELECT 1 / (SELECT 0)" }, "22012", ERR_INVALID },
		{ { "c", "INSERT INTO t_db.t VALUES (1, 1), (1, 1)" }, "23505", ERR_CONFLICT },
		{ { "d", "INSERT INTO t_db.t VALUES (1, NULL)" }, "23502", ERR_INVALID },
		{ { "e", "SELECT nothing FROM nowhere" }, "42P01", ERR_INTERNAL },
		{ { "f", "SELEKT" }, "42601", ERR_INTERNAL },
		{ { "g", "DO $$BEGIN RAISE SQLSTATE '40001'; END$$" }, "40001", ERR_UNAVAILABLE },
		{ { "h", "DO $$BEGIN RAISE SQLSTATE '40P01'; END$$" }, "40P01", ERR_UNAVAILABLE },
		{ { "i", "DO $$BEGIN RAISE SQLSTATE '55P03'; END$$" }, "55P03", ERR_UNAVAILABLE },
		{ { "j", "DO $$BEGIN RAISE SQLSTATE '53300'; END$$" }, "53300", ERR_UNAVAILABLE },
		{ { "k", "DO $$BEGIN RAISE SQLSTATE '57014'; END$$" }, "57014", ERR_TIMEOUT },
		{ { "l", "DO $$BEGIN RAISE SQLSTATE '08007'; END$$" }, "08007", ERR_UNCERTAIN },
		{ { "m", "DO $$BEGIN RAISE SQLSTATE '23514'; END$$" }, "23514", ERR_INVALID },
		{ { "n", "DO $$BEGIN RAISE EXCEPTION 'x'; END$$" }, "P0001", ERR_INTERNAL },
		{ { "o", "SELECT repeat('[', 100000)::json" }, "54001", ERR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e;

		assert_int_equal(db_exec(conn, &rows[i].s, NULL, NULL, &e), rows[i].code);
		assert_string_equal(e.sqlstate, rows[i].sqlstate);
		assert_false(db_is_broken(conn));
	}
}

static void
messages_name_the_statement_and_no_data(void **state)
{
	static const struct db_stmt missing = { "missing", "SELECT 1 FROM nowhere" };
	static const struct db_stmt number = { "number", "SELECT $1::text::int8" };
	static const struct db_stmt twice = { "twice", "INSERT INTO t_db.t VALUES ($1, 1), ($1, 1)" };
	struct db_params p;
	struct err e;

	(void)state;
	assert_int_equal(db_exec(conn, &missing, NULL, NULL, &e), ERR_INTERNAL);
	assert_string_equal(e.msg, "missing: relation \"nowhere\" does not exist");
	db_params_init(&p);
	db_p_text(&p, STR("+1555x"));
	assert_int_equal(db_exec(conn, &number, &p, NULL, &e), ERR_INVALID);
	assert_null(strstr(e.msg, "1555"));
	db_params_clear(&p);
	db_p_i32(&p, 15550100);
	assert_int_equal(db_exec(conn, &twice, &p, NULL, &e), ERR_CONFLICT);
	assert_null(strstr(e.msg, "1555"));
	db_params_release(&p);
}

static void
a_text_with_nul_is_invalid_and_harmless(void **state)
{
	static const struct db_stmt s = { "nul", "SELECT $1" };
	struct db_params p;

	(void)state;
	db_params_init(&p);
	db_p_text(&p, STR("a\0b"));
	EXPECT(ERR_INVALID, db_exec(conn, &s, &p, NULL, e));
	db_params_release(&p);
	assert_true(test_pid(conn) > 0);
}

static void
a_statement_past_its_deadline_closes_the_connection(void **state)
{
	static const struct db_stmt slow = { "slow", "SELECT pg_sleep(5)" };
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;
	int64_t began = clock_mono_ms();

	(void)state;
	o.timeout_ms = 300;
	MUST(db_connect(&o, &c, e));
	EXPECT(ERR_TIMEOUT, db_exec(c, &slow, NULL, NULL, e));
	assert_in_range(clock_mono_ms() - began, 300, 2000);
	assert_true(db_is_broken(c));
	EXPECT(ERR_UNAVAILABLE, db_exec(c, &slow, NULL, NULL, e));
	EXPECT(ERR_UNAVAILABLE, db_command(c, "SELECT 1", e));
	EXPECT(ERR_UNAVAILABLE, db_begin(c, e));
	db_rollback(c);
	db_close(c);
}

static void
large_values_go_both_ways(void **state)
{
	static const struct db_stmt s = { "large", "SELECT $1 || $1" };
	struct db_result r = DB_RESULT_NONE;
	struct db_params p;
	size_t n = 8u << 20;
	char *bytes = malloc(n);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', n);
	db_params_init(&p);
	db_p_bytea(&p, (struct str){ bytes, n });
	MUST(db_exec(conn, &s, &p, &r, e));
	assert_int_equal(db_str(&r, 0, 0).n, 2 * n);
	db_result_clear(&r);
	db_params_release(&p);
	free(bytes);
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
		WITH_CONN(rows_and_affected_rows_are_counted),
		WITH_CONN(a_statement_is_prepared_once),
		cmocka_unit_test(unnamed_mode_prepares_nothing),
		WITH_CONN(a_statement_that_the_server_forgot_is_prepared_again),
		WITH_CONN(a_statement_whose_columns_changed_is_prepared_again),
		WITH_CONN(other_parameter_types_are_refused),
		WITH_CONN(errors_have_the_class_of_their_sqlstate),
		WITH_CONN(messages_name_the_statement_and_no_data),
		WITH_CONN(a_text_with_nul_is_invalid_and_harmless),
		cmocka_unit_test(a_statement_past_its_deadline_closes_the_connection),
		WITH_CONN(large_values_go_both_ways),
	};

	return TEST_RUN(tests);
}

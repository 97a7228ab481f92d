/*
 * Statements: preparing, deadlines, classes of errors.
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
	static const struct db_stmt twice = { "twice",
		"INSERT INTO t_db.t VALUES ($1, 1), ($1, 1)" };
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
	assert_in_range(clock_mono_ms() - began, 300, 4500);
	assert_true(db_is_broken(c));
	EXPECT(ERR_UNAVAILABLE, db_exec(c, &slow, NULL, NULL, e));
	EXPECT(ERR_UNAVAILABLE, db_command(c, "SELECT 1", e));
	EXPECT(ERR_UNAVAILABLE, db_begin(c, e));
	db_rollback(c);
	db_close(c);
}

/* More than the socket's buffers hold, while the server has nothing to say yet. */
static void
a_large_parameter_is_sent_to_its_end(void **state)
{
	static const struct db_stmt s = { "length", "SELECT octet_length($1)" };
	struct db_params p;
	size_t n = 48u << 20;
	char *bytes = calloc(1, n);

	(void)state;
	assert_non_null(bytes);
	db_params_init(&p);
	db_p_bytea(&p, (struct str){ bytes, n });
	assert_int_equal(test_number(conn, &s, &p), n);
	db_params_release(&p);
	free(bytes);
}

int
main(void)
{
#define WITH_CONN(test) cmocka_unit_test_setup_teardown(test, open_conn, close_conn)
	const struct CMUnitTest tests[] = {
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
		WITH_CONN(a_large_parameter_is_sent_to_its_end),
	};

	return TEST_RUN(tests);
}

/*
 * Statements that are sent ahead of their answers, and what COMMIT tells of them.
 * Needs TEST_DATABASE_URL (see db_test.h).
 */
#include "test/db/db_test.h"

static const struct db_stmt INSERT = { "insert", "INSERT INTO t_db.t VALUES ($1, 0)" };
static const struct db_stmt COUNT = { "count", "SELECT count(*) FROM t_db.t" };
static const struct db_stmt ECHO = { "echo", "SELECT $1" };
static const struct db_stmt DIVIDE = { "divide", "SELECT 1 / $1" };
static const struct db_stmt ROWS = { "rows",
	"SELECT repeat('x', 1000) FROM generate_series(1, $1)" };
static const struct db_stmt COUNT_ALL = { "count_all", "SELECT cardinality($1)" };

/* So many ROWS are more than sockets hold; COUNT_ALL of so many is so large that it is sent at once. */
enum { MANY = 20 * 1000 };

static struct db_conn *conn;

static int
open_conn(void **state)
{
	(void)state;
	conn = test_connect();
	MUST(db_command(conn, "TRUNCATE t_db.t", e));
	return 0;
}

static int
close_conn(void **state)
{
	(void)state;
	db_close(conn);
	return 0;
}

static enum err_code
later(const struct db_stmt *s, int32_t value, struct db_result *out, struct err *e)
{
	struct db_params p;
	enum err_code rc;

	db_params_init(&p);
	db_p_i32(&p, value);
	rc = db_exec_later(conn, s, &p, out, e);
	db_params_release(&p);
	return rc;
}

static int64_t
rows_elsewhere(void)
{
	struct db_conn *other = test_connect();
	int64_t n = test_number(other, &COUNT, NULL);

	db_close(other);
	return n;
}

static void
answers_come_with_the_next_call_that_waits(void **state)
{
	struct db_result r[2] = { DB_RESULT_NONE, DB_RESULT_NONE };

	(void)state;
	MUST(db_begin(conn, e));
	MUST(later(&ECHO, 7, &r[0], e));
	MUST(later(&INSERT, 1, NULL, e));
	MUST(later(&ECHO, 8, &r[1], e));
	assert_int_equal(test_number(conn, &COUNT, NULL), 1);
	assert_int_equal(db_i64(&r[0], 0, 0), 7);
	assert_int_equal(db_i64(&r[1], 0, 0), 8);
	MUST(later(&INSERT, 2, NULL, e));
	MUST(db_commit(conn, e));
	assert_int_equal(rows_elsewhere(), 2);
	db_result_clear(&r[0]);
	db_result_clear(&r[1]);
}

static void
more_than_there_is_room_for_is_answered_in_between(void **state)
{
	(void)state;
	MUST(db_begin(conn, e));
	for (int i = 0; i < 50; i++)
		MUST(later(&INSERT, i, NULL, e));
	MUST(db_commit(conn, e));
	assert_int_equal(rows_elsewhere(), 50);
}

static void
a_failure_is_told_by_the_call_that_waits_and_ends_the_transaction(void **state)
{
	struct db_result kept = DB_RESULT_NONE, skipped = DB_RESULT_NONE;
	struct err told;

	(void)state;
	MUST(later(&DIVIDE, 1, NULL, e)); /* prepared, so that all goes at once */
	MUST(later(&ECHO, 1, NULL, e));
	MUST(db_begin(conn, e));
	MUST(later(&INSERT, 1, &kept, e));
	MUST(later(&DIVIDE, 0, NULL, e));
	MUST(later(&ECHO, 3, &skipped, e));
	assert_int_equal(db_commit(conn, &told), ERR_INVALID);
	assert_string_equal(told.sqlstate, "22012");
	assert_non_null(strstr(told.msg, "divide"));
	assert_null(skipped.res);
	db_rollback(conn);
	assert_false(db_is_broken(conn));
	assert_int_equal(test_number(conn, &COUNT, NULL), 0);
	db_result_clear(&kept);
}

static void
a_rollback_may_go_with_the_next_call(void **state)
{
	(void)state;
	MUST(db_begin(conn, e));
	MUST(later(&INSERT, 1, NULL, e));
	db_rollback_later(conn);
	assert_int_equal(test_number(conn, &COUNT, NULL), 0);
	db_rollback_later(conn); /* of nothing */
	MUST(db_begin(conn, e));
	EXPECT(ERR_INTERNAL, db_command(conn, "SELEKT", e));
	db_rollback_later(conn);
	assert_int_equal(test_number(conn, &COUNT, NULL), 0);
}

static void
what_was_sent_before_is_no_part_of_a_transaction(void **state)
{
	(void)state;
	MUST(later(&INSERT, 1, NULL, e));
	MUST(db_begin(conn, e));
	MUST(later(&INSERT, 2, NULL, e));
	db_rollback(conn);
	assert_int_equal(rows_elsewhere(), 1);
}

static void
whoever_fails_is_given_nothing_any_more(void **state)
{
	struct db_result r = DB_RESULT_NONE;
	struct db_params text;

	(void)state;
	MUST(db_begin(conn, e));
	MUST(later(&ECHO, 1, &r, e));
	db_params_init(&text);
	db_p_text(&text, STR("x"));
	EXPECT(ERR_INTERNAL, db_exec(conn, &ECHO, &text, NULL, e)); /* other types than before */
	db_params_release(&text);
	db_rollback(conn);
	assert_null(r.res);
}

/* ---- COMMIT with what was sent before it ---- */

static void
a_connection_lost_with_its_commit_is_uncertain(void **state)
{
	struct db_conn *admin = test_connect();

	(void)state;
	MUST(db_command(admin,
	    "CREATE FUNCTION t_db.end_session() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
	    " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(9);"
	    " RETURN NULL; END$$;"
	    "CREATE CONSTRAINT TRIGGER end_session AFTER INSERT ON t_db.t DEFERRABLE"
	    " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION t_db.end_session()",
	    e));
	MUST(db_begin(conn, e));
	MUST(later(&INSERT, 1, NULL, e));
	EXPECT(ERR_UNCERTAIN, db_commit(conn, e));
	assert_true(db_is_broken(conn));
	db_rollback(conn);
	MUST(db_command(admin, "DROP TRIGGER end_session ON t_db.t", e));
	db_close(admin);
}

static void
a_connection_lost_before_is_found_before_commit_is_sent(void **state)
{
	struct db_conn *admin = test_connect();

	(void)state;
	MUST(db_begin(conn, e));
	MUST(later(&INSERT, 0, NULL, e));
	assert_int_equal(test_number(conn, &COUNT, NULL), 1);
	test_kill(admin, test_pid(conn));
	MUST(later(&INSERT, 1, NULL, e));
	EXPECT(ERR_UNAVAILABLE, db_commit(conn, e));
	db_rollback(conn);
	db_close(admin);
}

static void
a_hint_goes_with_its_commit_and_cannot_undo_it(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		MUST(db_begin(conn, e));
		MUST(later(&INSERT, i, NULL, e));
		MUST(db_commit_notify(conn, "t_db", e));
		assert_int_equal(rows_elsewhere(), i + 1);
	}
	MUST(db_begin(conn, e));
	MUST(later(&INSERT, 2, NULL, e));
	MUST(db_commit_notify(conn, "", e)); /* no name for a channel */
	assert_int_equal(rows_elsewhere(), 3);
	assert_false(db_is_broken(conn));
	MUST(db_begin(conn, e));
	MUST(later(&DIVIDE, 0, NULL, e));
	EXPECT(ERR_INVALID, db_commit_notify(conn, "t_db", e));
	db_rollback(conn);
}

/* Whatever the number of statements before which answers must make room for more. */
static void
a_failure_is_told_as_it_is_however_much_was_sent_before_the_hint(void **state)
{
	(void)state;
	MUST(later(&DIVIDE, 1, NULL, e));
	MUST(later(&INSERT, 0, NULL, e));
	MUST(db_notify(conn, "t_db", e));
	for (int n = 1; n <= 20; n++) {
		MUST(db_begin(conn, e));
		for (int i = 1; i < n; i++)
			MUST(later(&INSERT, i, NULL, e));
		MUST(later(&DIVIDE, 0, NULL, e));
		EXPECT(ERR_INVALID, db_commit_notify(conn, "t_db", e));
		db_rollback(conn);
		assert_int_equal(test_number(conn, &COUNT, NULL), 1);
	}
}

static void
send_many(void)
{
	struct db_params p;
	struct db_array a;

	db_params_init(&p);
	db_array_init(&a, DB_I32);
	for (int i = 0; i < MANY; i++)
		db_array_i32(&a, i);
	db_p_array(&p, &a);
	MUST(db_exec_later(conn, &COUNT_ALL, &p, NULL, e));
	db_array_release(&a);
	db_params_release(&p);
}

/* A server that is still answering is no lost one. */
static void
a_large_answer_under_way_is_no_lost_connection(void **state)
{
	struct db_result much = DB_RESULT_NONE;

	(void)state;
	MUST(later(&ROWS, 1, NULL, e)); /* prepared, as is the next one */
	send_many();
	MUST(db_begin(conn, e));
	MUST(later(&ROWS, MANY, &much, e));
	send_many();
	clock_sleep_ms(200);
	MUST(db_commit(conn, e));
	assert_int_equal(db_rows(&much), MANY);
	db_result_clear(&much);
}

int
main(void)
{
#define WITH_CONN(test) cmocka_unit_test_setup_teardown(test, open_conn, close_conn)
	const struct CMUnitTest tests[] = {
		WITH_CONN(answers_come_with_the_next_call_that_waits),
		WITH_CONN(more_than_there_is_room_for_is_answered_in_between),
		WITH_CONN(a_failure_is_told_by_the_call_that_waits_and_ends_the_transaction),
		WITH_CONN(a_rollback_may_go_with_the_next_call),
		WITH_CONN(what_was_sent_before_is_no_part_of_a_transaction),
		WITH_CONN(whoever_fails_is_given_nothing_any_more),
		WITH_CONN(a_connection_lost_with_its_commit_is_uncertain),
		WITH_CONN(a_connection_lost_before_is_found_before_commit_is_sent),
		WITH_CONN(a_hint_goes_with_its_commit_and_cannot_undo_it),
		WITH_CONN(a_failure_is_told_as_it_is_however_much_was_sent_before_the_hint),
		WITH_CONN(a_large_answer_under_way_is_no_lost_connection),
	};

	return TEST_RUN(tests);
}

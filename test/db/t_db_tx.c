/*
 * Transactions: what is repeated, and what is uncertain.
 * Needs TEST_DATABASE_URL (see db_test.h).
 */
#include "test/db/db_test.h"

#include <pthread.h>

static const struct db_stmt INSERT_ONE = { "insert_one", "INSERT INTO t_db.t VALUES ($1, 0)" };
static const struct db_stmt COUNT = { "count", "SELECT count(*) FROM t_db.t" };

static void
insert(struct db_conn *c, int id)
{
	struct db_params p;

	db_params_init(&p);
	db_p_i32(&p, id);
	MUST(db_exec(c, &INSERT_ONE, &p, NULL, e));
	db_params_release(&p);
}

static struct db_pool *
new_pool(void)
{
	struct db_opts o = test_opts();
	struct db_pool *p = NULL;

	MUST(db_pool_new(&o, &p, e));
	return p;
}

/* ---- db_tx ---- */
struct work {
	int runs;
	int failures;           /* how many runs fail */
	const char *fail;       /* with this command */
	struct db_conn *killer; /* or by being killed */
};

static enum err_code
work(struct db_conn *c, void *arg, struct err *e)
{
	struct work *w = arg;

	insert(c, 100);
	w->runs++;
	if (w->runs > w->failures)
		return ERR_OK;
	if (w->killer != NULL)
		test_kill(w->killer, test_pid(c));
	return w->fail == NULL ? ERR_OK : db_command(c, w->fail, e);
}

static void
check_tx(struct work w, enum err_code want, int runs, int rows)
{
	struct db_pool *p = new_pool();
	struct db_conn *c = test_connect();

	MUST(db_command(c, "TRUNCATE t_db.t", e));
	EXPECT(want, db_tx(p, 5000, work, &w, e));
	assert_int_equal(w.runs, runs);
	assert_int_equal(test_number(c, &COUNT, NULL), rows);
	db_close(c);
	db_pool_free(p);
}

static const char SERIALIZATION[] = "DO $$BEGIN RAISE SQLSTATE '40001'; END$$";

static void
a_serialization_failure_is_repeated(void **state)
{
	(void)state;
	check_tx((struct work){ .failures = 2, .fail = SERIALIZATION }, ERR_OK, 3, 1);
}

static void
three_attempts_are_enough(void **state)
{
	(void)state;
	check_tx((struct work){ .failures = 9, .fail = SERIALIZATION }, ERR_UNAVAILABLE, 3, 0);
}

static void
our_mistakes_are_not_repeated(void **state)
{
	(void)state;
	check_tx((struct work){ .failures = 9, .fail = "SELEKT" }, ERR_INTERNAL, 1, 0);
}

static void
a_connection_lost_before_commit_is_repeated(void **state)
{
	struct db_conn *admin = test_connect();

	(void)state;
	check_tx((struct work){ .failures = 1, .killer = admin }, ERR_OK, 2, 1);
	db_close(admin);
}

/* A trigger that runs inside COMMIT ends its own session, as a crash at that moment would. */
static void
a_connection_lost_in_commit_is_uncertain_and_not_repeated(void **state)
{
	struct db_conn *c = test_connect();

	(void)state;
	MUST(db_command(c,
	    "CREATE FUNCTION t_db.die() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
	    " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(9);"
	    " RETURN NULL; END$$;"
	    "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t_db.t DEFERRABLE INITIALLY DEFERRED"
	    " FOR EACH ROW EXECUTE FUNCTION t_db.die()",
	    e));
	check_tx((struct work){ .runs = 0 }, ERR_UNCERTAIN, 1, 0);
	MUST(db_command(c, "DROP TRIGGER die ON t_db.t", e));
	db_close(c);
}

/* ---- the answer to COMMIT ---- */
static void
commit_of_a_failed_transaction_is_no_success(void **state)
{
	struct db_conn *c = test_connect();

	(void)state;
	MUST(db_begin(c, e));
	EXPECT(ERR_INTERNAL, db_command(c, "SELEKT", e));
	EXPECT(ERR_INTERNAL, db_commit(c, e));
	db_rollback(c);
	assert_false(db_is_broken(c));
	db_close(c);
}

static void
a_warning_of_commit_is_uncertain(void **state)
{
	struct db_conn *c = test_connect();

	(void)state;
	MUST(db_begin(c, e));
	MUST(db_command(c, "ROLLBACK", e));
	/* "there is no transaction in progress", as a pooler that lost it would make us see. */
	EXPECT(ERR_UNCERTAIN, db_commit(c, e));
	db_close(c);
}

/* Cancels the wait for a standby that does not exist, once somebody waits for it. */
static void *
cancel_waits(void *arg)
{
	static const struct db_stmt cancel = { "cancel",
		"SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
		" WHERE wait_event = 'SyncRep'" };
	struct db_conn *c = arg;

	while (test_number(c, &cancel, NULL) == 0)
		clock_sleep_ms(20);
	return NULL;
}

static void
set_standby(struct db_conn *c, const char *sql, const char *want)
{
	static const struct db_stmt now = { "now",
		"SELECT (current_setting('synchronous_standby_names') = $1)::int" };
	struct db_params p;

	db_params_init(&p);
	db_p_text(&p, str_of(want));
	MUST(db_command(c, sql, e));
	MUST(db_command(c, "SELECT pg_reload_conf()", e));
	while (test_number(c, &now, &p) == 0)
		clock_sleep_ms(20);
	db_params_release(&p);
}

static void
a_cancelled_wait_for_a_standby_is_uncertain(void **state)
{
	struct db_conn *c = test_connect(), *admin = test_connect();
	struct db_params p;
	pthread_t t;

	(void)state;
	MUST(db_command(c, "TRUNCATE t_db.t", e));
	set_standby(c, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "nobody");
	MUST(db_begin(c, e));
	insert(c, 1);
	assert_int_equal(pthread_create(&t, NULL, cancel_waits, admin), 0);
	EXPECT(ERR_UNCERTAIN, db_commit(c, e));
	pthread_join(t, NULL);

	/* The same for a statement that commits by itself. */
	db_params_init(&p);
	db_p_i32(&p, 2);
	assert_int_equal(pthread_create(&t, NULL, cancel_waits, admin), 0);
	EXPECT(ERR_UNCERTAIN, db_exec(c, &INSERT_ONE, &p, NULL, e));
	pthread_join(t, NULL);

	/* And for one that goes behind a rollback. */
	MUST(db_begin(c, e));
	insert(c, 3);
	db_rollback_later(c);
	db_params_clear(&p);
	db_p_i32(&p, 4);
	assert_int_equal(pthread_create(&t, NULL, cancel_waits, admin), 0);
	EXPECT(ERR_UNCERTAIN, db_exec(c, &INSERT_ONE, &p, NULL, e));
	pthread_join(t, NULL);
	db_params_release(&p);
	set_standby(c, "ALTER SYSTEM RESET synchronous_standby_names", "");
	db_close(admin);
	db_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_serialization_failure_is_repeated),
		cmocka_unit_test(three_attempts_are_enough),
		cmocka_unit_test(our_mistakes_are_not_repeated),
		cmocka_unit_test(a_connection_lost_before_commit_is_repeated),
		cmocka_unit_test(a_connection_lost_in_commit_is_uncertain_and_not_repeated),
		cmocka_unit_test(commit_of_a_failed_transaction_is_no_success),
		cmocka_unit_test(a_warning_of_commit_is_uncertain),
		cmocka_unit_test(a_cancelled_wait_for_a_standby_is_uncertain),
	};

	return TEST_RUN(tests);
}

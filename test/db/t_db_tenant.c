/*
 * A tenant's read as one pipeline.
 * Needs TEST_DATABASE_URL (see db_test.h).
 */
#include "test/db/db_test.h"

static const struct db_stmt TENANT = { "tenant",
	"SELECT current_setting('cti.app_id', true), current_setting('transaction_read_only')" };
static const struct db_stmt ECHO = { "echo", "SELECT $1" };
static const struct db_stmt DIVIDE = { "divide", "SELECT 1 / $1" };
static const struct uuid APP = { { 0xab, 0xcd, [15] = 1 } };

static struct db_conn *
connect_with(bool unnamed, int64_t timeout_ms)
{
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;

	o.unnamed = unnamed;
	o.timeout_ms = timeout_ms;
	MUST(db_connect(&o, &c, e));
	return c;
}

static bool
is(const struct db_result *r, int col, const char *want)
{
	return str_eq(db_str(r, 0, col), str_of(want));
}

static void
check_tenant(bool unnamed)
{
	struct db_conn *c = connect_with(unnamed, 5000);

	for (int i = 0; i < 2; i++) {
		struct db_result r[2] = { DB_RESULT_NONE, DB_RESULT_NONE };
		struct db_params p;

		db_params_init(&p);
		db_p_i64(&p, 42 + i);
		MUST(db_tenant_read(c, APP,
		    (struct db_query[]){
			{ &TENANT, NULL, DB_PLAN_AUTO }, { &ECHO, &p, DB_PLAN_AUTO } },
		    2, r, e));
		assert_true(is(&r[0], 0, "abcd0000-0000-0000-0000-000000000001"));
		assert_true(is(&r[0], 1, "on"));
		assert_int_equal(db_i64(&r[1], 0, 0), 42 + i);
		db_result_clear(&r[0]);
		db_result_clear(&r[1]);
		db_params_release(&p);

		MUST(db_exec(c, &TENANT, NULL, &r[0], e));
		assert_true(is(&r[0], 0, "")); /* no tenant is left behind */
		assert_true(is(&r[0], 1, "off"));
		db_result_clear(&r[0]);
	}
	db_close(c);
}

static void
the_tenant_is_set_for_the_read_and_not_longer(void **state)
{
	(void)state;
	check_tenant(false);
}

static void
so_it_is_without_named_statements(void **state)
{
	(void)state;
	check_tenant(true);
}

static void
an_error_in_the_middle_leaves_a_usable_connection(void **state)
{
	struct db_conn *c = connect_with(false, 5000);
	struct db_result r[3];
	struct db_params p;
	struct err why;

	(void)state;
	db_params_init(&p);
	db_p_i32(&p, 0);
	assert_int_equal(db_tenant_read(c, APP,
			     (struct db_query[]){ { &TENANT, NULL, DB_PLAN_AUTO },
				 { &DIVIDE, &p, DB_PLAN_AUTO }, { &TENANT, NULL, DB_PLAN_AUTO } },
			     3, r, &why),
	    ERR_INVALID);
	assert_string_equal(why.sqlstate, "22012");
	assert_ptr_equal(strstr(why.msg, "divide:"), why.msg);
	for (int i = 0; i < 3; i++)
		assert_null(r[i].res);
	assert_false(db_is_broken(c));
	MUST(db_tenant_read(
	    c, APP, (struct db_query[]){ { &TENANT, NULL, DB_PLAN_AUTO } }, 1, r, e));
	assert_true(is(&r[0], 1, "on"));
	db_result_clear(&r[0]);
	MUST(db_begin(c, e));
	MUST(db_commit(c, e));
	db_params_release(&p);
	db_close(c);
}

static void
a_statement_that_writes_is_refused(void **state)
{
	static const struct db_stmt write = { "write", "INSERT INTO t_db.t VALUES (1, 1)" };
	struct db_conn *c = connect_with(false, 5000);
	struct db_result r;

	(void)state;
	EXPECT(ERR_INTERNAL,
	    db_tenant_read(
		c, APP, (struct db_query[]){ { &write, NULL, DB_PLAN_AUTO } }, 1, &r, e));
	db_close(c);
}

static void
a_forgotten_statement_is_prepared_again(void **state)
{
	struct db_conn *c = connect_with(false, 5000);
	struct db_result r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		MUST(db_tenant_read(
		    c, APP, (struct db_query[]){ { &TENANT, NULL, DB_PLAN_AUTO } }, 1, &r, e));
		db_result_clear(&r);
		MUST(db_command(c, "DEALLOCATE ALL", e));
	}
	db_close(c);
}

/* More than the socket buffers of both sides: each must read while it writes. */
static void
large_parameters_and_results_do_not_block_each_other(void **state)
{
	struct db_conn *c = connect_with(false, 20000);
	struct db_query q[4];
	struct db_result r[4];
	struct db_params p;
	size_t n = 8u << 20;
	char *bytes = calloc(1, n);

	(void)state;
	assert_non_null(bytes);
	db_params_init(&p);
	db_p_bytea(&p, (struct str){ bytes, n });
	for (int i = 0; i < 4; i++)
		q[i] = (struct db_query){ &ECHO, &p, DB_PLAN_AUTO };
	MUST(db_tenant_read(c, APP, q, 4, r, e));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(db_str(&r[i], 0, 0).n, n);
		db_result_clear(&r[i]);
	}
	db_params_release(&p);
	free(bytes);
	db_close(c);
}

static void
a_read_past_its_deadline_closes_the_connection(void **state)
{
	static const struct db_stmt slow = { "slow", "SELECT pg_sleep(5)" };
	struct db_conn *c = connect_with(false, 300);
	struct db_result r;

	(void)state;
	EXPECT(ERR_TIMEOUT,
	    db_tenant_read(c, APP, (struct db_query[]){ { &slow, NULL, DB_PLAN_AUTO } }, 1, &r, e));
	assert_true(db_is_broken(c));
	assert_null(r.res);
	EXPECT(ERR_UNAVAILABLE,
	    db_tenant_read(c, APP, (struct db_query[]){ { &slow, NULL, DB_PLAN_AUTO } }, 1, &r, e));
	db_close(c);
}

static void
a_killed_session_is_told_as_unavailable(void **state)
{
	static const struct db_stmt die = { "die",
		"SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)" };
	struct db_conn *c = connect_with(false, 5000);
	struct db_result r;

	(void)state;
	EXPECT(ERR_UNAVAILABLE,
	    db_tenant_read(c, APP, (struct db_query[]){ { &die, NULL, DB_PLAN_AUTO } }, 1, &r, e));
	assert_true(db_is_broken(c));
	db_close(c);
}

static void
each_statement_is_planned_as_it_is_told(void **state)
{
	static const struct db_stmt mode = { "mode", "SELECT current_setting('plan_cache_mode')" };
	static const struct {
		enum db_plan plan;
		const char *want;
	} cases[] = {
		{ DB_PLAN_ONCE, "force_generic_plan" },
		{ DB_PLAN_EACH_TIME, "force_custom_plan" },
		{ DB_PLAN_EACH_TIME, "force_custom_plan" },
		{ DB_PLAN_AUTO, "auto" },
	};
	struct db_conn *c = connect_with(false, 5000);
	struct db_query q[4];
	struct db_result r[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		q[i] = (struct db_query){ &mode, NULL, cases[i].plan };
	MUST(db_tenant_read(c, APP, q, 4, r, e));
	for (int i = 0; i < 4; i++) {
		assert_true(is(&r[i], 0, cases[i].want));
		db_result_clear(&r[i]);
	}
	MUST(db_exec(c, &mode, NULL, &r[0], e));
	assert_true(is(&r[0], 0, "auto")); /* nothing is left behind */
	db_result_clear(&r[0]);
	db_close(c);
}

static void
inside_a_transaction_it_is_refused(void **state)
{
	struct db_conn *c = connect_with(false, 5000);
	struct db_result r;

	(void)state;
	MUST(db_begin(c, e));
	EXPECT(ERR_INTERNAL,
	    db_tenant_read(
		c, APP, (struct db_query[]){ { &TENANT, NULL, DB_PLAN_AUTO } }, 1, &r, e));
	MUST(db_commit(c, e));
	db_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tenant_is_set_for_the_read_and_not_longer),
		cmocka_unit_test(so_it_is_without_named_statements),
		cmocka_unit_test(an_error_in_the_middle_leaves_a_usable_connection),
		cmocka_unit_test(a_statement_that_writes_is_refused),
		cmocka_unit_test(a_forgotten_statement_is_prepared_again),
		cmocka_unit_test(large_parameters_and_results_do_not_block_each_other),
		cmocka_unit_test(a_read_past_its_deadline_closes_the_connection),
		cmocka_unit_test(a_killed_session_is_told_as_unavailable),
		cmocka_unit_test(each_statement_is_planned_as_it_is_told),
		cmocka_unit_test(inside_a_transaction_it_is_refused),
	};

	return TEST_RUN(tests);
}

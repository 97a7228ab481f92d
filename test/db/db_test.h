/*
 * db_test - what the tests against a real PostgreSQL share.
 *
 * Use:      TEST_DATABASE_URL names a database and a superuser in which the tests may do as they
 *           like; without it they are skipped. Tables live in the schema t_db, made anew.
 * Owns:     nothing.
 * Threads:  one.
 * Errors:   a failed call fails the test with the message of struct err.
 * Not for:  databases with data that anybody wants to keep.
 */
#ifndef CTI_DB_TEST_H
#define CTI_DB_TEST_H

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/metric.h"
#include "common/db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Check the class; show the message when it is another one. */
#define EXPECT(want, call)                                               \
	do {                                                             \
		struct err e_ = { .msg = "" };                           \
		struct err *e = &e_;                                     \
		enum err_code got_ = (call);                             \
                                                                         \
		if (got_ != (want))                                      \
			print_error("%s: %s\n", err_name(got_), e->msg); \
		assert_int_equal(got_, (want));                          \
	} while (0)
#define MUST(call) EXPECT(ERR_OK, call)

static inline const char *
test_url(void)
{
	return getenv("TEST_DATABASE_URL");
}

static inline struct db_opts
test_opts(void)
{
	return (struct db_opts){
		.url = test_url(),
		.role = "",
		.app_name = "t_db",
		.timeout_ms = 10000,
		.size = 2,
	};
}

static inline struct db_conn *
test_connect(void)
{
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;

	MUST(db_connect(&o, &c, e));
	return c;
}

/* The one number that a statement gives. */
static inline int64_t
test_number(struct db_conn *c, const struct db_stmt *s, const struct db_params *p)
{
	struct db_result r = DB_RESULT_NONE;
	int64_t v;

	MUST(db_exec(c, s, p, &r, e));
	assert_int_equal(db_rows(&r), 1);
	v = db_i64(&r, 0, 0);
	db_result_clear(&r);
	return v;
}

static const struct db_stmt TEST_PID = { "pid", "SELECT pg_backend_pid()" };
static const struct db_stmt TEST_KILL = { "kill", "SELECT pg_terminate_backend($1)::int" };
static const struct db_stmt TEST_LIVES = { "lives",
	"SELECT count(*) FROM pg_stat_activity WHERE pid = $1" };

static inline int64_t
test_pid(struct db_conn *c)
{
	return test_number(c, &TEST_PID, NULL);
}

/* End another connection's session and wait until it is gone. */
static inline void
test_kill(struct db_conn *admin, int64_t pid)
{
	struct db_params p;

	db_params_init(&p);
	db_p_i32(&p, (int32_t)pid);
	assert_int_equal(test_number(admin, &TEST_KILL, &p), 1);
	while (test_number(admin, &TEST_LIVES, &p) != 0)
		clock_sleep_ms(5);
	db_params_release(&p);
}

/* The value of a metric as scraped; the series begins with a line's end. */
static inline int64_t
test_metric(const char *series)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1u << 20);
	const char *at;

	metric_render(&b);
	at = strstr(buf_c(&b), series);
	assert_non_null(at);
	return strtoll(at + strlen(series), NULL, 10);
}

static inline int
test_schema(void **state)
{
	struct db_conn *c = test_connect();

	(void)state;
	MUST(db_command(c, "SET client_min_messages = warning", e));
	MUST(db_command(c, "DROP SCHEMA IF EXISTS t_db CASCADE", e));
	MUST(db_command(c, "CREATE SCHEMA t_db", e));
	MUST(db_command(c, "CREATE TABLE t_db.t (id int PRIMARY KEY, v int NOT NULL)", e));
	db_close(c);
	return 0;
}

static inline int
test_drop_schema(void **state)
{
	struct db_conn *c = test_connect();

	(void)state;
	MUST(db_command(c, "SET client_min_messages = warning", e));
	MUST(db_command(c, "DROP SCHEMA IF EXISTS t_db CASCADE", e));
	db_close(c);
	return 0;
}

/* The body of main(). */
#define TEST_RUN(tests)                                                                     \
	(test_url() == NULL ? (print_message("skipped: TEST_DATABASE_URL is not set\n"), 0) \
			    : cmocka_run_group_tests(tests, test_schema, test_drop_schema))

#endif

/*
 * Opening sessions: deadlines, several hosts, roles, strings that libpq cannot read.
 * Needs TEST_DATABASE_URL (see db_test.h).
 */
#include "test/db/db_test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* A port on which connections are taken but nobody ever answers. */
static int
silent_port(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* The server of TEST_DATABASE_URL behind a dead host; a password comes from PGPASSWORD. */
static void
with_dead_host_first(struct buf *out, int dead_port)
{
	static const struct db_stmt where = { "where",
		"SELECT coalesce(host(inet_server_addr()),"
		"   split_part(current_setting('unix_socket_directories'), ',', 1)),"
		" current_setting('port')::int, current_user::text, current_database()::text" };
	struct db_result r = DB_RESULT_NONE;
	struct db_conn *c = test_connect();

	MUST(db_exec(c, &where, NULL, &r, e));
	buf_add_fmt(out, "host='127.0.0.1,%.*s' port='%d,%d' user='%.*s' dbname='%.*s'",
	    STR_ARG(db_str(&r, 0, 0)), dead_port, (int)db_i64(&r, 0, 1), STR_ARG(db_str(&r, 0, 2)),
	    STR_ARG(db_str(&r, 0, 3)));
	db_result_clear(&r);
	db_close(c);
}

static void
a_silent_server_is_given_up_at_the_deadline(void **state)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(1000);
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;
	int64_t began = clock_mono_ms();
	int port, fd = silent_port(&port);

	(void)state;
	buf_add_fmt(&url, "host=127.0.0.1 port=%d", port);
	o.url = buf_c(&url);
	o.timeout_ms = 300;
	EXPECT(ERR_UNAVAILABLE, db_connect(&o, &c, e));
	assert_in_range(clock_mono_ms() - began, 300, 10000);
	assert_null(c);
	close(fd);
}

/* ---- another thread says that it is time to give up ---- */

static db_give_up given_up;

static void *
give_up_soon(void *unused)
{
	clock_sleep_ms(300);
	atomic_store(&given_up, clock_mono_ms());
	return unused;
}

static struct db_opts
patient_opts(const char *url)
{
	struct db_opts o = test_opts();

	atomic_store(&given_up, 0);
	o.url = url;
	o.timeout_ms = 20000;
	o.give_up = &given_up;
	return o;
}

static void
a_connection_that_is_being_opened_is_given_up_when_another_thread_says_so(void **state)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(1000);
	int port, fd = silent_port(&port);
	struct db_conn *c = NULL;
	struct db_opts o;
	int64_t began = clock_mono_ms();
	pthread_t thread;

	(void)state;
	buf_add_fmt(&url, "host=127.0.0.1 port=%d", port);
	o = patient_opts(buf_c(&url));
	assert_int_equal(pthread_create(&thread, NULL, give_up_soon, NULL), 0);
	EXPECT(ERR_UNAVAILABLE, db_connect(&o, &c, e));
	assert_in_range(clock_mono_ms() - began, 300, 5000);
	(void)pthread_join(thread, NULL);
	close(fd);
}

static void
a_statement_is_given_up_when_another_thread_says_so(void **state)
{
	static const struct db_stmt slow = { "slow", "SELECT pg_sleep(9)" };
	struct db_opts o = patient_opts(test_url());
	struct db_conn *c = NULL;
	int64_t began;
	pthread_t thread;

	(void)state;
	MUST(db_connect(&o, &c, e));
	began = clock_mono_ms();
	assert_int_equal(pthread_create(&thread, NULL, give_up_soon, NULL), 0);
	EXPECT(ERR_TIMEOUT, db_exec(c, &slow, NULL, NULL, e));
	assert_in_range(clock_mono_ms() - began, 300, 5000);
	assert_true(db_is_broken(c));
	(void)pthread_join(thread, NULL);
	db_close(c);
}

static void
a_silent_first_host_leaves_time_for_the_second(void **state)
{
	static const char *const wants[] = { "", " target_session_attrs=read-write",
		" target_session_attrs=prefer-standby" };
	int port, fd = silent_port(&port);

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		AUTO_RELEASE(buf_release) struct buf url = BUF(1000);
		struct db_opts o = test_opts();
		struct db_conn *c = NULL;

		with_dead_host_first(&url, port);
		buf_add_c(&url, wants[i]);
		o.url = buf_c(&url);
		o.timeout_ms = 2000;
		MUST(db_connect(&o, &c, e));
		assert_true(test_pid(c) > 0);
		db_close(c);
	}
	close(fd);
}

static void
an_unreadable_string_is_invalid_and_not_repeated(void **state)
{
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;
	struct db_pool *p = NULL;
	struct err e;

	(void)state;
	o.url = "postgresql://u:hunter2@[::1/db";
	assert_int_equal(db_connect(&o, &c, &e), ERR_INVALID);
	assert_null(strstr(e.msg, "hunter2"));
	assert_int_equal(db_pool_new(&o, &p, &e), ERR_INVALID);
	assert_null(p);
}

/* And what it acknowledges is on the disk, whatever is set for the login. */
static void
the_role_is_switched_to(void **state)
{
	static const struct db_stmt who = { "who",
		"SELECT (current_user = 'pg_monitor'"
		" AND current_setting('synchronous_commit') = 'on')::int" };
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;

	(void)state;
	o.role = "pg_monitor";
	assert_int_equal(setenv("PGOPTIONS", "-c synchronous_commit=off", 1), 0);
	MUST(db_connect(&o, &c, e));
	assert_int_equal(unsetenv("PGOPTIONS"), 0);
	assert_int_equal(test_number(c, &who, NULL), 1);
	db_close(c);
}

static void
an_unknown_role_is_told_by_name(void **state)
{
	struct db_opts o = test_opts();
	struct db_conn *c = NULL;
	struct err e;

	(void)state;
	o.role = "no\"body";
	assert_int_equal(db_connect(&o, &c, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "no\"body"));
}

static void
the_session_is_ours(void **state)
{
	static const struct db_stmt s = { "settings",
		"SELECT (current_setting('application_name') = 't_db' AND"
		" current_setting('client_encoding') = 'UTF8' AND"
		" current_setting('TimeZone') IN ('UTC', 'Etc/UTC'))::int" };
	struct db_conn *c = test_connect();

	(void)state;
	assert_int_equal(test_number(c, &s, NULL), 1);
	db_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_server_is_given_up_at_the_deadline),
		cmocka_unit_test(
		    a_connection_that_is_being_opened_is_given_up_when_another_thread_says_so),
		cmocka_unit_test(a_statement_is_given_up_when_another_thread_says_so),
		cmocka_unit_test(a_silent_first_host_leaves_time_for_the_second),
		cmocka_unit_test(an_unreadable_string_is_invalid_and_not_repeated),
		cmocka_unit_test(the_role_is_switched_to),
		cmocka_unit_test(an_unknown_role_is_told_by_name),
		cmocka_unit_test(the_session_is_ours),
	};

	return TEST_RUN(tests);
}

/*
 * The pool: bounded waiting, replacement of lost connections, a dead server.
 * Needs TEST_DATABASE_URL (see db_test.h).
 */
#include "test/db/db_test.h"

#include "common/base/log.h"

#include <pthread.h>
#include <stdatomic.h>

static struct db_pool *
new_pool(int size)
{
	struct db_opts o = test_opts();
	struct db_pool *p = NULL;

	o.size = size;
	MUST(db_pool_new(&o, &p, e));
	return p;
}

static struct db_conn *
get(struct db_pool *p)
{
	struct db_conn *c = NULL;

	MUST(db_pool_get(p, 5000, &c, e));
	return c;
}

static void
the_connection_used_last_is_lent_first(void **state)
{
	struct db_pool *p = new_pool(2);
	struct db_conn *a = get(p), *b = get(p);
	int64_t pid = test_pid(b);

	(void)state;
	assert_int_equal(test_metric("\ncti_db_connections{state=\"open\"}"), 2);
	assert_int_equal(test_metric("\ncti_db_connections{state=\"in_use\"}"), 2);
	db_pool_put(p, a);
	db_pool_put(p, b);
	a = get(p);
	assert_int_equal(test_pid(a), pid);
	db_pool_put(p, a);
	db_pool_free(p);
	assert_int_equal(test_metric("\ncti_db_connections{state=\"open\"}"), 0);
	assert_int_equal(test_metric("\ncti_db_connections{state=\"in_use\"}"), 0);
}

static void
waiting_for_a_connection_ends(void **state)
{
	struct db_pool *p = new_pool(1);
	struct db_conn *a = get(p), *b = NULL;
	int64_t began = clock_mono_ms();

	(void)state;
	EXPECT(ERR_UNAVAILABLE, db_pool_get(p, 200, &b, e));
	assert_in_range(clock_mono_ms() - began, 200, 10000);
	assert_null(b);
	db_pool_put(p, a);
	db_pool_free(p);
}

struct late {
	struct db_pool *p;
	struct db_conn *c;
};

static void *
put_late(void *arg)
{
	struct late *l = arg;

	clock_sleep_ms(100);
	db_pool_put(l->p, l->c);
	return NULL;
}

static void
who_waits_gets_what_comes_back(void **state)
{
	struct db_pool *p = new_pool(1);
	struct late l = { p, get(p) };
	struct db_conn *c;
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, put_late, &l), 0);
	c = get(p);
	pthread_join(t, NULL);
	db_pool_put(p, c);
	db_pool_free(p);
}

struct turn {
	struct db_pool *p;
	int number;
	int *served; /* the numbers in the order in which they were served */
	atomic_int *nserved;
	pthread_t thread;
};

static void *
take_turn(void *arg)
{
	struct turn *t = arg;
	struct db_conn *c = NULL;
	struct err e;

	if (db_pool_get(t->p, 20000, &c, &e) != ERR_OK)
		return NULL;
	t->served[atomic_fetch_add(t->nserved, 1)] = t->number;
	db_pool_put(t->p, c);
	return NULL;
}

static void
who_came_first_is_served_first(void **state)
{
	enum { WAITING = 8 };
	struct db_pool *p = new_pool(1);
	struct db_conn *c = get(p);
	struct turn turns[WAITING];
	atomic_int nserved = 0;
	int served[WAITING] = { 0 };

	(void)state;
	for (int i = 0; i < WAITING; i++) {
		turns[i] = (struct turn){ p, i, served, &nserved, 0 };
		assert_int_equal(pthread_create(&turns[i].thread, NULL, take_turn, &turns[i]), 0);
		clock_sleep_ms(100); /* until it waits */
	}
	db_pool_put(p, c);
	for (int i = 0; i < WAITING; i++)
		pthread_join(turns[i].thread, NULL);
	assert_int_equal(nserved, WAITING);
	for (int i = 0; i < WAITING; i++)
		assert_int_equal(served[i], i);
	db_pool_free(p);
}

static void *
borrow_often(void *arg)
{
	struct db_pool *p = arg;

	for (int i = 0; i < 50; i++) {
		struct db_conn *c = NULL;
		struct err e;

		if (db_pool_get(p, 20000, &c, &e) != ERR_OK)
			return arg; /* not NULL: failed */
		if (db_exec(c, &TEST_PID, NULL, NULL, &e) != ERR_OK)
			return arg;
		db_pool_put(p, c);
	}
	return NULL;
}

static void
threads_share_the_connections(void **state)
{
	struct db_pool *p = new_pool(2);
	pthread_t t[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&t[i], NULL, borrow_often, p), 0);
	for (int i = 0; i < 6; i++) {
		void *failure = NULL;

		pthread_join(t[i], &failure);
		assert_null(failure);
	}
	db_pool_free(p);
}

static void
a_killed_session_is_replaced_unnoticed(void **state)
{
	struct db_conn *admin = test_connect();
	struct db_pool *p = new_pool(1);
	struct db_conn *c = get(p);
	int64_t pid = test_pid(c);

	(void)state;
	db_pool_put(p, c);
	test_kill(admin, pid);
	c = get(p);
	assert_true(test_pid(c) != pid);
	db_pool_put(p, c);
	db_pool_free(p);
	db_close(admin);
}

static void
ignore_line(struct str line, void *arg)
{
	(void)line;
	++*(int *)arg;
}

static void
a_connection_given_back_in_a_transaction_is_closed(void **state)
{
	struct db_pool *p = new_pool(1);
	struct db_conn *c = get(p);
	int64_t pid = test_pid(c);
	int lines = 0;

	(void)state;
	MUST(db_begin(c, e));
	log_redirect(ignore_line, &lines);
	db_pool_put(p, c);
	log_redirect(NULL, NULL);
	assert_int_equal(lines, 1);
	c = get(p);
	assert_true(test_pid(c) != pid);
	db_pool_put(p, c);
	db_pool_free(p);
}

static int64_t
failures(void)
{
	return test_metric("\ncti_db_connect_failures_total");
}

static void
a_dead_server_is_not_stormed(void **state)
{
	struct db_opts o = test_opts();
	struct db_pool *p = NULL;
	int64_t before, began, took;

	(void)state;
	o.url = "host=127.0.0.1 port=1";
	MUST(db_pool_new(&o, &p, e));
	before = failures();
	began = clock_mono_ms();
	while (clock_mono_ms() - began < 600) {
		struct db_conn *c = NULL;

		EXPECT(ERR_UNAVAILABLE, db_pool_get(p, 20, &c, e));
		clock_sleep_ms(5);
	}
	took = clock_mono_ms() - began;
	/* At once and after 250 ms; on a busy machine perhaps after 750 and 1750 ms, too. */
	assert_in_range(failures() - before, 2, took < 750 ? 2 : 4);
	db_pool_free(p);
}

static void
who_has_time_waits_for_the_next_attempts(void **state)
{
	struct db_opts o = test_opts();
	struct db_pool *p = NULL;
	struct db_conn *c = NULL;
	int64_t before, began = clock_mono_ms();

	(void)state;
	o.url = "host=127.0.0.1 port=1";
	MUST(db_pool_new(&o, &p, e));
	before = failures();
	EXPECT(ERR_UNAVAILABLE, db_pool_get(p, 900, &c, e));
	assert_int_equal(failures() - before, 3); /* at 0, 250, 750 ms */
	assert_in_range(clock_mono_ms() - began, 750, 10000);
	db_pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_connection_used_last_is_lent_first),
		cmocka_unit_test(waiting_for_a_connection_ends),
		cmocka_unit_test(who_waits_gets_what_comes_back),
		cmocka_unit_test(who_came_first_is_served_first),
		cmocka_unit_test(threads_share_the_connections),
		cmocka_unit_test(a_killed_session_is_replaced_unnoticed),
		cmocka_unit_test(a_connection_given_back_in_a_transaction_is_closed),
		cmocka_unit_test(a_dead_server_is_not_stormed),
		cmocka_unit_test(who_has_time_waits_for_the_next_attempts),
	};

	return TEST_RUN(tests);
}

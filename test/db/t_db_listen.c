/*
 * Notifications as hints, and the way back after a lost connection.
 * Needs TEST_DATABASE_URL (see db_test.h).
 */
#include "test/db/db_test.h"

#include "common/base/log.h"
#include "common/db/db_listen.h"

#include <stdatomic.h>

static atomic_int hints, others, lines;

static void
count(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void
count_line(struct str line, void *arg)
{
	(void)line;
	(void)arg;
	atomic_fetch_add(&lines, 1);
}

static bool
soon(bool (*is)(struct db_listen *, int), struct db_listen *l, int n)
{
	for (int64_t end = clock_mono_ms() + 30000; clock_mono_ms() < end; clock_sleep_ms(5)) {
		if (is(l, n))
			return true;
	}
	return false;
}

static bool
has_hints(struct db_listen *l, int n)
{
	(void)l;
	return atomic_load(&hints) >= n;
}

static bool
is_connected(struct db_listen *l, int want)
{
	return db_listen_connected(l) == (want != 0);
}

static bool
has_lines(struct db_listen *l, int n)
{
	(void)l;
	return atomic_load(&lines) >= n;
}

static struct db_listen *
start(const char *url)
{
	struct db_listen_opts o = {
		.db = test_opts(),
		.channels = { { "t_db_work", count, &hints }, { "t_db_other", count, &others } },
	};
	struct db_listen *l = NULL;

	atomic_store(&hints, 0);
	atomic_store(&others, 0);
	atomic_store(&lines, 0);
	o.db.url = url;
	o.db.app_name = "t_db_listen";
	log_redirect(count_line, NULL);
	MUST(db_listen_start(&o, &l, e));
	return l;
}

static void
stop(struct db_listen *l)
{
	db_listen_stop(l);
	log_redirect(NULL, NULL);
}

static void
a_notification_is_a_hint(void **state)
{
	struct db_conn *c = test_connect();
	struct db_listen *l = start(test_url());

	(void)state;
	assert_true(soon(has_hints, l, 1)); /* the one of the beginning */
	assert_true(db_listen_connected(l));
	MUST(db_command(c, "NOTIFY t_db_work", e));
	assert_true(soon(has_hints, l, 2));
	clock_sleep_ms(50);
	assert_int_equal(atomic_load(&hints), 2);
	stop(l);
	db_close(c);
}

static void
a_hint_goes_to_its_own_channel_only(void **state)
{
	struct db_conn *c = test_connect();
	struct db_listen *l = start(test_url());

	(void)state;
	assert_true(soon(has_hints, l, 1));
	MUST(db_command(c, "NOTIFY t_db_other", e));
	MUST(db_command(c, "NOTIFY t_db_work", e));
	assert_true(soon(has_hints, l, 2));
	assert_int_equal(atomic_load(&others), 2);
	stop(l);
	db_close(c);
}

static void
after_a_lost_connection_it_comes_back_with_a_hint(void **state)
{
	static const struct db_stmt whose = { "whose",
		"SELECT pid FROM pg_stat_activity WHERE application_name = 't_db_listen'" };
	struct db_conn *c = test_connect();
	struct db_listen *l = start(test_url());

	(void)state;
	assert_true(soon(has_hints, l, 1));
	test_kill(c, test_number(c, &whose, NULL));
	assert_true(soon(is_connected, l, 0));
	assert_true(soon(has_hints, l, 2));
	assert_true(db_listen_connected(l));
	MUST(db_command(c, "NOTIFY t_db_work", e));
	assert_true(soon(has_hints, l, 3));
	assert_int_equal(atomic_load(&lines), 3); /* connected, lost, connected */
	stop(l);
	db_close(c);
}

static void
without_a_server_it_waits_and_can_be_stopped(void **state)
{
	struct db_listen *l = start("host=127.0.0.1 port=1");
	int64_t began;

	(void)state;
	assert_true(soon(has_lines, l, 1));
	assert_false(db_listen_connected(l));
	assert_int_equal(atomic_load(&hints), 0);
	began = clock_mono_ms();
	stop(l);
	assert_true(clock_mono_ms() - began < 900); /* its pause is of a second at least */
	assert_int_equal(atomic_load(&lines), 1);
}

static void
a_channel_that_is_no_plain_name_is_refused(void **state)
{
	static const char *const names[] = { "", "1x", "a b", "x;y", "X" };
	struct db_listen *l = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct db_listen_opts o = {
			.db = test_opts(),
			.channels = { { "t_db_work", count, &hints },
			    { names[i], count, &others } },
		};

		EXPECT(ERR_INVALID, db_listen_start(&o, &l, e));
	}
	assert_null(l);
	db_listen_stop(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notification_is_a_hint),
		cmocka_unit_test(a_hint_goes_to_its_own_channel_only),
		cmocka_unit_test(after_a_lost_connection_it_comes_back_with_a_hint),
		cmocka_unit_test(without_a_server_it_waits_and_can_be_stopped),
		cmocka_unit_test(a_channel_that_is_no_plain_name_is_refused),
	};

	return TEST_RUN(tests);
}

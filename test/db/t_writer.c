/* ingestd/writer against a real database: whose time counts, who may wait, and the
 * notification owed at the end. */
#include "test/db/db_test.h"

#include "common/base/log.h"
#include "common/db/db_listen.h"
#include "ingestd/writer.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

enum { MAX_WAITING = 10, TIMES = 20, SOON_MS = 5000, IN_TIME_MS = 800 };

static struct db_conn *admin;
static struct writer *writer;

static struct writer *
start_writers(int threads)
{
	struct writer_opts o = {
		.db = test_opts(), .threads = threads, .group = 10, .max_waiting = MAX_WAITING
	};
	struct writer *w = NULL;

	o.db.role = "cti_ingest";
	MUST(writer_start(&o, &w, e));
	return w;
}

static struct writer *
start_writer(void)
{
	return start_writers(1);
}

static int
start(void **state)
{
	(void)state;
	log_init(&(struct log_opts){ .daemon = "test", .level = LOG_ERROR + 1 });
	admin = test_connect();
	writer = start_writer();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	writer_stop(writer);
	db_close(admin);
	return 0;
}

/* ---- an event on its way ---- */

struct sending {
	pthread_t thread;
	int64_t within_ms, took_ms;
	enum err_code rc;
};

static struct str claims = { "{}", 2 }; /* of the events to come */

static enum err_code
store(int64_t within_ms)
{
	struct event ev = {
		.app_id = { { 0xaa, 1 } },
		.id = uuid_v7(),
		.hook = 1,
		.is_json = claims.n < 100,
		.arrived_at = clock_wall_ms(),
		.claims = claims,
	};
	struct err e;

	return writer_store(writer, &ev, clock_mono_ms() + within_ms, &e);
}

static void *
send_one(void *arg)
{
	struct sending *s = arg;
	int64_t begun_ms = clock_mono_ms();

	s->rc = store(s->within_ms);
	s->took_ms = clock_mono_ms() - begun_ms;
	return NULL;
}

static void
begin(struct sending *s, int64_t within_ms)
{
	s->within_ms = within_ms;
	assert_int_equal(pthread_create(&s->thread, NULL, send_one, s), 0);
}

static void
finish(struct sending *s)
{
	(void)pthread_join(s->thread, NULL);
}

/* ---- a lock that the writer's statement waits for ---- */

static void
lock_log(struct db_conn *c)
{
	MUST(db_command(c, "BEGIN", e));
	MUST(db_command(c, "LOCK TABLE event_log", e));
}

static void
unlock_log(struct db_conn *c)
{
	MUST(db_command(c, "COMMIT", e));
}

static void *
lock_in_turn(void *conn)
{
	lock_log(conn);
	return NULL;
}

static void
wait_for_lock_waiters(int n)
{
	static const struct db_stmt waiters = { "waiters",
		"SELECT count(*) FROM pg_locks WHERE NOT granted"
		" AND relation = 'event_log'::regclass" };

	while (test_number(admin, &waiters, NULL) < n)
		clock_sleep_ms(5);
}

/* Those that no writer has taken yet. */
static void
wait_for_waiting_events(int n)
{
	while (test_metric("\ncti_ingest_waiting") < n)
		clock_sleep_ms(5);
}

/* ---- whose time counts ---- */

static void
a_connection_made_in_haste_gives_later_groups_their_full_time(void **state)
{
	struct sending slow;

	(void)state;
	assert_int_equal(store(IN_TIME_MS), ERR_OK); /* connects, with less than that left */
	lock_log(admin);
	begin(&slow, 10 * IN_TIME_MS);
	clock_sleep_ms(3 * IN_TIME_MS / 2);
	unlock_log(admin);
	finish(&slow);
	assert_int_equal(slow.rc, ERR_OK);
}

/* The first event is stored alone while the other two wait, which makes them a group. */
static void
a_group_is_answered_in_the_time_of_its_most_urgent_event(void **state)
{
	struct db_conn *next = test_connect();
	struct sending first, patient, urgent;
	pthread_t locker;

	(void)state;
	assert_int_equal(store(SOON_MS), ERR_OK); /* prepares the statement, apart */
	lock_log(admin);
	begin(&first, 2 * SOON_MS);
	wait_for_lock_waiters(1);
	assert_int_equal(pthread_create(&locker, NULL, lock_in_turn, next), 0);
	wait_for_lock_waiters(2);
	begin(&patient, 2 * SOON_MS);
	wait_for_waiting_events(1);
	begin(&urgent, 3 * IN_TIME_MS);
	wait_for_waiting_events(2);
	unlock_log(admin);
	(void)pthread_join(locker, NULL);
	finish(&urgent);
	unlock_log(next);
	finish(&first);
	finish(&patient);
	db_close(next);
	assert_int_equal(first.rc, ERR_OK);
	assert_int_equal(urgent.rc, ERR_UNAVAILABLE);
	assert_int_equal(patient.rc, ERR_UNAVAILABLE);
	assert_in_range(urgent.took_ms, 0, SOON_MS);
}

/* ---- connections ---- */

/* It says nothing about the database, so nobody is asked to come again. */
static void
a_connection_that_died_while_idle_costs_no_event(void **state)
{
	static const struct db_stmt end_sessions = { "end_sessions",
		"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
		" WHERE datname = current_database() AND application_name = 't_db'"
		" AND pid <> pg_backend_pid()" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store(SOON_MS), ERR_OK);
		assert_int_equal(test_number(admin, &end_sessions, NULL), 1);
	}
	assert_int_equal(store(SOON_MS), ERR_OK);
}

/* ---- how much goes into a group ---- */

static void
large_events_are_not_all_put_into_one_group(void **state)
{
	static const struct db_stmt groups = { "groups",
		"SELECT count(DISTINCT xmin::text) FROM event_log WHERE length(payload_raw) > 1" };
	static char large[7 * 1024 * 1024];
	struct sending s[5];

	(void)state;
	claims = (struct str){ large, sizeof large };
	lock_log(admin);
	for (int i = 0; i < 5; i++)
		begin(&s[i], 4 * SOON_MS);
	wait_for_lock_waiters(1);
	wait_for_waiting_events(3); /* the group under way has one or two of them */
	unlock_log(admin);
	for (int i = 0; i < 5; i++) {
		finish(&s[i]);
		assert_int_equal(s[i].rc, ERR_OK);
	}
	claims = STR("{}");
	/* One or two, then two at a time. */
	assert_in_range(test_number(admin, &groups, NULL), 3, 4);
}

/* ---- how many wait, and for whom ---- */

/* One more than may wait, and one that is with the writer: the last is told so before any other. */
static void
beyond_those_who_may_wait_nobody_waits(void **state)
{
	struct sending s[1 + MAX_WAITING];

	(void)state;
	lock_log(admin);
	begin(&s[0], 4 * SOON_MS);
	wait_for_lock_waiters(1);
	for (int i = 1; i <= MAX_WAITING; i++)
		begin(&s[i], 4 * SOON_MS);
	wait_for_waiting_events(MAX_WAITING);
	assert_int_equal(store(4 * SOON_MS), ERR_UNAVAILABLE);
	unlock_log(admin);
	for (int i = 0; i <= MAX_WAITING; i++) {
		finish(&s[i]);
		assert_int_equal(s[i].rc, ERR_OK);
	}
}

/* Each has taken one before the first is done. */
static void
several_writers_work_at_once(void **state)
{
	enum { WRITERS = 3 };
	struct sending s[WRITERS];

	(void)state;
	writer_stop(writer);
	writer = start_writers(WRITERS);
	lock_log(admin);
	for (int i = 0; i < WRITERS; i++) {
		begin(&s[i], 4 * SOON_MS);
		wait_for_lock_waiters(i + 1);
	}
	unlock_log(admin);
	for (int i = 0; i < WRITERS; i++) {
		finish(&s[i]);
		assert_int_equal(s[i].rc, ERR_OK);
	}
}

/* ---- notifications ---- */

static atomic_int hints;

static void
count_hint(void *arg)
{
	(void)arg;
	atomic_fetch_add(&hints, 1);
}

static void
wait_for_hint_after(int seen)
{
	for (int64_t end = clock_mono_ms() + SOON_MS; clock_mono_ms() < end; clock_sleep_ms(1)) {
		if (atomic_load(&hints) > seen)
			return;
	}
	fail_msg("no notification after the last group");
}

static struct db_listen *
listen_for_hints(void)
{
	struct db_listen_opts o = {
		.db = test_opts(),
		.channels = { { "cti_events", count_hint, NULL } },
	};
	struct db_listen *l = NULL;

	MUST(db_listen_start(&o, &l, e));
	wait_for_hint_after(0); /* the connection itself counts as one */
	return l;
}

/* Returns how many hints there were by then. */
static int
store_and_be_hinted(void)
{
	int seen = atomic_load(&hints);

	assert_int_equal(store(SOON_MS), ERR_OK);
	wait_for_hint_after(seen);
	return atomic_load(&hints);
}

/* The second event follows at once on the first one's hint: its own is held back, and owed. */
static void
the_notification_owed_after_the_last_group_is_sent(void **state)
{
	struct db_listen *l;

	(void)state;
	atomic_store(&hints, 0);
	l = listen_for_hints();
	for (int i = 0; i < TIMES; i++) {
		int seen = store_and_be_hinted();

		assert_int_equal(store(SOON_MS), ERR_OK);
		wait_for_hint_after(seen);
		clock_sleep_ms(20); /* so that the next one's is not held back */
	}
	db_listen_stop(l);
}

static void
a_writer_that_stops_sends_what_it_owes(void **state)
{
	struct db_listen *l;

	(void)state;
	atomic_store(&hints, 0);
	l = listen_for_hints();
	for (int i = 0; i < TIMES; i++) {
		int seen = store_and_be_hinted();

		assert_int_equal(store(SOON_MS), ERR_OK);
		writer_stop(writer);
		writer = NULL;
		wait_for_hint_after(seen);
		writer = start_writer();
	}
	db_listen_stop(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_connection_made_in_haste_gives_later_groups_their_full_time, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_group_is_answered_in_the_time_of_its_most_urgent_event, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_connection_that_died_while_idle_costs_no_event, start, stop),
		cmocka_unit_test_setup_teardown(
		    large_events_are_not_all_put_into_one_group, start, stop),
		cmocka_unit_test_setup_teardown(
		    beyond_those_who_may_wait_nobody_waits, start, stop),
		cmocka_unit_test_setup_teardown(several_writers_work_at_once, start, stop),
		cmocka_unit_test_setup_teardown(
		    the_notification_owed_after_the_last_group_is_sent, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_writer_that_stops_sends_what_it_owes, start, stop),
	};

	return sodium_init() < 0 ? 1 : TEST_RUN(tests);
}

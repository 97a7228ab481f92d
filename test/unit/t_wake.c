/* workerd/wake: hints are not lost, waits end in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "workerd/wake.h"

/* SOON: an answer at once, even on a busy machine. LONG: never waited for to its end. */
enum { SOON_MS = 2000, LONG_MS = 60000, SHORT_MS = 60, THREADS = 4 };

static int64_t
since(int64_t start)
{
	return clock_mono_ms() - start;
}

static void
a_hint_before_the_wait_is_not_lost(void **state)
{
	int64_t start = clock_mono_ms();
	struct wake w;
	uint64_t seen;

	(void)state;
	wake_init(&w);
	seen = wake_seen(&w);
	wake_hint(&w); /* during the scan */
	assert_true(wake_wait(&w, seen, LONG_MS));
	assert_true(since(start) < SOON_MS);
	wake_release(&w);
}

static void
a_hint_that_was_seen_does_not_end_the_wait(void **state)
{
	struct wake w;
	int64_t start;
	uint64_t seen;

	(void)state;
	wake_init(&w);
	wake_hint(&w);
	wake_hint(&w);
	seen = wake_seen(&w);
	start = clock_mono_ms();
	assert_true(wake_wait(&w, seen, SHORT_MS));
	assert_in_range(since(start), SHORT_MS, SOON_MS);
	wake_release(&w);
}

static void
waits_of_no_time_return_at_once(void **state)
{
	int64_t start = clock_mono_ms();
	struct wake w;

	(void)state;
	wake_init(&w);
	assert_true(wake_wait(&w, wake_seen(&w), 0));
	assert_true(wake_pause(&w, 0));
	assert_true(since(start) < SOON_MS);
	wake_release(&w);
}

/* 999 ms past a full second must carry into the seconds: try pauses across every fraction. */
static void
a_pause_lasts_its_time_whatever_hints_come(void **state)
{
	struct wake w;

	(void)state;
	wake_init(&w);
	for (int i = 0; i < 12; i++) {
		int64_t start = clock_mono_ms();

		wake_hint(&w);
		assert_true(wake_pause(&w, 95));
		assert_in_range(since(start), 95, 95 + SOON_MS);
	}
	wake_release(&w);
}

/* ---- with other threads ---- */

struct waiter {
	struct wake *wake;
	pthread_t thread;
	uint64_t seen;
	bool paused; /* wake_pause, not wake_wait */
	bool going;  /* what the call returned */
};

static void *
wait_long(void *arg)
{
	struct waiter *w = arg;

	w->going = w->paused ? wake_pause(w->wake, LONG_MS) : wake_wait(w->wake, w->seen, LONG_MS);
	return NULL;
}

static void
start_waiters(struct waiter *waiters, int n, struct wake *w)
{
	for (int i = 0; i < n; i++) {
		waiters[i].wake = w;
		waiters[i].seen = wake_seen(w);
		assert_int_equal(
		    pthread_create(&waiters[i].thread, NULL, wait_long, &waiters[i]), 0);
	}
	clock_sleep_ms(
	    SHORT_MS); /* most of them are waiting now; the others must not miss it either */
}

static void
join_going(struct waiter *waiters, int n)
{
	for (int i = 0; i < n; i++) {
		assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
		assert_true(waiters[i].going);
	}
}

static void
as_many_hints_as_wait_wake_all_of_them(void **state)
{
	struct waiter waiters[THREADS] = { 0 };
	int64_t start = clock_mono_ms();
	struct wake w;

	(void)state;
	wake_init(&w);
	start_waiters(waiters, THREADS, &w);
	for (int i = 0; i < THREADS; i++)
		wake_hint(&w);
	join_going(waiters, THREADS);
	assert_true(since(start) < SHORT_MS + SOON_MS);
	wake_release(&w);
}

/* The one who is woken must be one who listens. */
static void
a_hint_is_not_lost_on_those_who_pause(void **state)
{
	struct waiter pausing[THREADS] = { 0 }, waiting[1] = { 0 };
	int64_t start = clock_mono_ms();
	struct wake w;

	(void)state;
	wake_init(&w);
	for (int i = 0; i < THREADS; i++)
		pausing[i].paused = true;
	start_waiters(pausing, THREADS, &w);
	start_waiters(waiting, 1, &w);
	wake_hint(&w);
	join_going(waiting, 1);
	assert_true(since(start) < 2 * SHORT_MS + SOON_MS);
	wake_stop(&w);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(pausing[i].thread, NULL), 0);
	wake_release(&w);
}

/* A hint is about one event, mostly: the others would look for nothing. */
static void
one_hint_wakes_one(void **state)
{
	struct waiter waiters[THREADS] = { 0 };
	struct wake w;
	int woken = 0;

	(void)state;
	wake_init(&w);
	start_waiters(waiters, THREADS, &w);
	clock_sleep_ms(5 * SHORT_MS); /* who is not waiting yet takes the hint too */
	wake_hint(&w);
	clock_sleep_ms(SHORT_MS);
	wake_stop(&w);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
		woken += waiters[i].going;
	}
	assert_true(woken < THREADS);
	wake_release(&w);
}

static void
a_stop_ends_every_wait_now_and_from_now_on(void **state)
{
	struct waiter waiters[THREADS] = { { .paused = true }, { .paused = false },
		{ .paused = true } };
	int64_t start = clock_mono_ms();
	struct wake w;

	(void)state;
	wake_init(&w);
	start_waiters(waiters, THREADS, &w);
	wake_stop(&w);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
		assert_false(waiters[i].going);
	}
	assert_false(wake_wait(&w, wake_seen(&w), LONG_MS));
	assert_false(wake_pause(&w, LONG_MS));
	wake_hint(&w);
	assert_false(wake_wait(&w, 0, LONG_MS));
	assert_true(since(start) < SHORT_MS + SOON_MS);
	wake_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hint_before_the_wait_is_not_lost),
		cmocka_unit_test(a_hint_that_was_seen_does_not_end_the_wait),
		cmocka_unit_test(waits_of_no_time_return_at_once),
		cmocka_unit_test(a_pause_lasts_its_time_whatever_hints_come),
		cmocka_unit_test(as_many_hints_as_wait_wake_all_of_them),
		cmocka_unit_test(a_hint_is_not_lost_on_those_who_pause),
		cmocka_unit_test(one_hint_wakes_one),
		cmocka_unit_test(a_stop_ends_every_wait_now_and_from_now_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

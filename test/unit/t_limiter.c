/* apid/access/limiter: so many in a minute, in a table that does not grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apid/access/limiter.h"

#include <sodium.h>
#include <stdio.h>

enum { NOW = 1000000, MANY = 500000 };

static int
start(void **state)
{
	*state = limiter_new();
	return sodium_init() < 0 ? -1 : 0;
}

static int
stop(void **state)
{
	limiter_free(*state);
	return 0;
}

static void
so_many_are_allowed_in_a_minute_that_begins_with_the_first(void **state)
{
	struct limit_state s;

	for (int i = 0; i < 3; i++) {
		s = limiter_take(*state, STR("a"), 3, NOW + i * 1000);
		assert_true(s.allowed);
		assert_int_equal(s.left, 2 - i);
		assert_int_equal(s.reset_s, 60 - i);
	}
	s = limiter_take(*state, STR("a"), 3, NOW + 59001);
	assert_false(s.allowed);
	assert_int_equal(s.left, 0);
	assert_int_equal(s.reset_s, 1);
	s = limiter_take(*state, STR("a"), 3, NOW + 60000);
	assert_true(s.allowed);
	assert_int_equal(s.left, 2);
}

static void
callers_are_counted_apart(void **state)
{
	assert_true(limiter_take(*state, STR("a"), 1, NOW).allowed);
	assert_false(limiter_take(*state, STR("a"), 1, NOW).allowed);
	assert_true(limiter_take(*state, STR("b"), 1, NOW).allowed);
}

static void
a_look_does_not_count(void **state)
{
	for (int i = 0; i < 3; i++)
		assert_true(limiter_look(*state, STR("a"), 1, NOW).allowed);
	assert_true(limiter_take(*state, STR("a"), 1, NOW).allowed);
	assert_false(limiter_look(*state, STR("a"), 1, NOW).allowed);
}

static void
a_crowd_does_not_make_it_forget_who_asked_too_much(void **state)
{
	char id[16];

	for (int i = 0; i < 5; i++)
		(void)limiter_take(*state, STR("busy"), 5, NOW);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(id, sizeof id, "%d", i);
		assert_true(limiter_take(*state, str_of(id), 5, NOW).allowed);
	}
	assert_false(limiter_take(*state, STR("busy"), 5, NOW).allowed);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(so_many_are_allowed_in_a_minute_that_begins_with_the_first),
		TEST(callers_are_counted_apart),
		TEST(a_look_does_not_count),
		TEST(a_crowd_does_not_make_it_forget_who_asked_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

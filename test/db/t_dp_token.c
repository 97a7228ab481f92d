/* common/dialpad/dp_token: a valid token for whoever asks, and one refresh at a time. */
#include "test/db/dp_token_kit.h"

enum { DEMANDS = 50 };

static void
a_token_that_is_good_is_given_without_asking(void **state)
{
	(void)state;
	fake_answers(200, FRESH);
	connection_is("acc-1", "ref-1", 3600);
	assert_given("acc-1");
	connection_is("acc-1", NULL, 0); /* no end told */
	assert_given("acc-1");
	assert_int_equal(fake.requests, 0);
}

static void
an_expiring_token_is_refreshed_and_both_are_stored(void **state)
{
	(void)state;
	fake_answers(200, FRESH);
	connection_is("acc-1", "ref-1", 20);
	assert_given("acc-2");
	assert_non_null(strstr(buf_c(&fake.last.body), "\"refresh_token\":\"ref-1\""));
	assert_true(row_has("token_expires_at BETWEEN now() + interval '3500 s'"
			    " AND now() + interval '3600 s' AND last_refresh_at IS NOT NULL"
			    " AND state = 'connected' AND last_error IS NULL"));
	assert_given("acc-2");
	assert_int_equal(fake.requests, 1);
	MUST(db_command(admin, "UPDATE dialpad_connections SET token_expires_at = now()", e));
	assert_given("acc-2"); /* the fake one gives the same again */
	assert_non_null(strstr(buf_c(&fake.last.body), "\"refresh_token\":\"ref-2\""));
}

static void
an_answer_without_a_refresh_token_keeps_the_old_one(void **state)
{
	(void)state;
	fake_answers(200, "{\"access_token\":\"acc-2\"}");
	connection_is("acc-1", "ref-1", -5);
	assert_given("acc-2");
	assert_true(row_has("token_expires_at IS NULL"));
	MUST(db_command(admin, "UPDATE dialpad_connections SET token_expires_at = now()", e));
	assert_given("acc-2");
	assert_non_null(strstr(buf_c(&fake.last.body), "\"refresh_token\":\"ref-1\""));
}

static void
fifty_demands_at_once_make_one_refresh(void **state)
{
	static struct demander d[DEMANDS];

	(void)state;
	fake_answers(200, FRESH);
	fake.answer.delay_ms = 300;
	connection_is("acc-1", "ref-1", -5);
	for (int i = 0; i < DEMANDS; i++)
		assert_int_equal(pthread_create(&d[i].thread, NULL, demand_alone, &d[i]), 0);
	for (int i = 0; i < DEMANDS; i++)
		pthread_join(d[i].thread, NULL);
	for (int i = 0; i < DEMANDS; i++)
		if (d[i].rc != ERR_OK || strcmp(d[i].text, "acc-2") != 0)
			fail_msg("demand %d: %s %s", i, err_name(d[i].rc), d[i].text);
	assert_int_equal(fake.requests, 1);
}

static bool
is_listed_as_due(void)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;

	MUST(dp_token_list_due(&tokens, admin, UUID_NIL, 10, &r, e));
	return db_rows(&r) == 1 && uuid_eq(db_uuid(&r, 0, 0), app);
}

static void
tokens_are_due_ten_minutes_ahead_or_in_the_middle_of_a_short_life(void **state)
{
	(void)state;
	connection_is("acc-1", "ref-1", 660);
	assert_false(is_listed_as_due());
	connection_is("acc-1", "ref-1", 590);
	assert_true(is_listed_as_due());
	MUST(db_command(admin,
	    "UPDATE dialpad_connections SET connected_at = now() - interval '100 s',"
	    " token_expires_at = now() + interval '120 s'",
	    e));
	assert_false(is_listed_as_due());
	MUST(db_command(
	    admin, "UPDATE dialpad_connections SET connected_at = now() - interval '130 s'", e));
	assert_true(is_listed_as_due());
	MUST(db_command(admin,
	    "UPDATE dialpad_connections SET refresh_failures = 1, last_refresh_at = now()", e));
	assert_false(is_listed_as_due()); /* it waits */
	MUST(db_command(
	    admin, "UPDATE dialpad_connections SET last_refresh_at = now() - interval '6 s'", e));
	assert_true(is_listed_as_due());
	connection_is("acc-1", NULL, 10);
	assert_false(is_listed_as_due()); /* nothing to refresh it with */
	connection_is("acc-1", NULL, -1);
	assert_true(is_listed_as_due()); /* a person has to be told that it has ended */
	connection_is("acc-1", "ref-1", 0);
	assert_false(is_listed_as_due()); /* it does not end */
}

static void
a_due_token_is_refreshed_ahead_of_time(void **state)
{
	(void)state;
	fake_answers(200, FRESH);
	connection_is("acc-1", "ref-1", 3000);
	MUST(dp_token_refresh_due(&tokens, admin, app, e));
	assert_int_equal(fake.requests, 0);
	connection_is("acc-1", "ref-1", 300);
	MUST(dp_token_refresh_due(&tokens, admin, app, e));
	assert_int_equal(fake.requests, 1);
	assert_given("acc-2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_that_is_good_is_given_without_asking),
		cmocka_unit_test(an_expiring_token_is_refreshed_and_both_are_stored),
		cmocka_unit_test(an_answer_without_a_refresh_token_keeps_the_old_one),
		cmocka_unit_test(fifty_demands_at_once_make_one_refresh),
		cmocka_unit_test(tokens_are_due_ten_minutes_ahead_or_in_the_middle_of_a_short_life),
		cmocka_unit_test(a_due_token_is_refreshed_ahead_of_time),
	};

	return TOKEN_RUN(tests);
}

/* common/dialpad/dp_token: nothing is lost, and nothing is repeated for ever. */
#include "test/db/dp_token_kit.h"

static void
a_refusal_for_good_needs_a_person_and_is_not_repeated(void **state)
{
	static const struct {
		int status;
		const char *body;
	} cases[] = {
		{ 400, "{\"error\":\"invalid_grant\"}" },
		{ 401, "{\"error\":\"invalid_grant\"}" },
		{ 401, "" },
		{ 403, "<html>" },
		{ 400, "{\"error\":{\"message\":\"expired\"}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fake_answers(cases[i].status, cases[i].body);
		connection_is("acc-1", "ref-1", -5);
		assert_refused(ERR_CONFLICT, "connected again");
		assert_true(row_has("state = 'needs_reconnect' AND last_error LIKE '%refresh%'"));
		assert_refused(ERR_CONFLICT, "needs_reconnect");
		assert_int_equal(fake.requests, 1);
	}
}

static void
a_failure_that_may_pass_is_repeated_after_a_pause(void **state)
{
	static const struct {
		int status;
		const char *body;
	} cases[] = {
		{ 500, "" },
		{ 429, "{}" },
		{ 404, "<html>" },
		{ 200, "<html>" },
		{ 200, "{}" },
		{ 401, "{\"error\":\"invalid_client\"}" },
		{ 400, "{\"error\":\"unauthorized_client\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fake_answers(cases[i].status, cases[i].body);
		connection_is("acc-1", "ref-1", -5);
		assert_refused(ERR_UNAVAILABLE, "no token of Dialpad now");
		assert_true(row_has("state = 'connected' AND refresh_failures = 1"
				    " AND last_error LIKE 'Dialpad, oauth2.token.refresh%'"));
		assert_refused(ERR_UNAVAILABLE, "the next attempt waits");
		assert_int_equal(fake.requests, 1);
	}
	fake_answers(200, FRESH);
	MUST(db_command(
	    admin, "UPDATE dialpad_connections SET last_refresh_at = now() - interval '6 s'", e));
	assert_given("acc-2");
	assert_true(row_has("refresh_failures = 0 AND last_error IS NULL"));
}

static void
pauses_grow_to_an_hour_and_no_further(void **state)
{
	(void)state;
	fake_answers(200, FRESH);
	connection_is("acc-1", "ref-1", -5);
	MUST(db_command(admin,
	    "UPDATE dialpad_connections SET refresh_failures = 1000, last_error = 'x',"
	    " last_refresh_at = now() - interval '59 min'",
	    e));
	assert_refused(ERR_UNAVAILABLE, "waits: x");
	MUST(db_command(admin,
	    "UPDATE dialpad_connections SET last_refresh_at = now() - interval '61 min'", e));
	assert_given("acc-2");
}

static void
a_token_that_still_lives_serves_while_it_cannot_be_refreshed(void **state)
{
	(void)state;
	fake_answers(503, "");
	connection_is("acc-1", "ref-1", 20);
	assert_given("acc-1");
	assert_given("acc-1");
	assert_int_equal(fake.requests, 1);
	connection_is("acc-1", NULL, 20);
	assert_given("acc-1");
	assert_true(row_has("state = 'connected'"));
}

static void
an_ended_token_without_a_successor_needs_a_person(void **state)
{
	(void)state;
	fake_answers(200, FRESH);
	connection_is("acc-1", NULL, -1);
	assert_refused(ERR_CONFLICT, "connected again");
	assert_true(
	    row_has("state = 'needs_reconnect' AND last_error LIKE 'the token has ended%'"));
	assert_int_equal(fake.requests, 0);
}

static void
what_is_not_connected_here_says_why(void **state)
{
	(void)state;
	connection_is("acc-1", "ref-1", 3600);
	MUST(db_command(admin,
	    "UPDATE dialpad_connections SET state = 'disconnected', last_error = 'by an admin'",
	    e));
	assert_refused(ERR_CONFLICT, "(disconnected): by an admin");
	connection_is("acc-1", "ref-1", 3600);
	MUST(db_command(admin, "UPDATE dialpad_connections SET environment = 'production'", e));
	assert_refused(ERR_CONFLICT, "this server uses sandbox");
	MUST(db_command(admin, "DELETE FROM dialpad_connections", e));
	assert_refused(ERR_NOT_FOUND, "never connected");
}

static void
a_token_under_another_key_is_an_error_that_changes_nothing(void **state)
{
	struct seal_keys other;
	struct dp_tokens t = tokens;
	AUTO_RELEASE(buf_release) struct buf token = BUF(ROOM);

	(void)state;
	seal_keys_init(&other, STR("another key"), STR_NONE);
	t.keys = &other;
	fake_answers(200, FRESH);
	connection_is("acc-1", "ref-1", 3600);
	EXPECT(ERR_INTERNAL, dp_token_get(&t, admin, app, &token, e));
	connection_is("acc-1", "ref-1", -1);
	EXPECT(ERR_INTERNAL, dp_token_get(&t, admin, app, &token, e));
	assert_true(row_has("state = 'connected' AND refresh_failures = 0"));
	assert_int_equal(fake.requests, 0);
	assert_given("acc-2");
}

/* A demand whose connection, and with it the lock, is lost while Dialpad is asked. */
static void
lose_the_connection_amid_a_refresh(struct demander *d)
{
	static const struct db_stmt holder = { "t_holder",
		"SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'"
		" AND datname = current_database()" };

	fake_answers(200, FRESH);
	fake.answer.delay_ms = 1500; /* time to find and kill the session */
	connection_is("acc-1", "ref-1", -5);
	assert_int_equal(pthread_create(&d->thread, NULL, demand_alone, d), 0);
	while (fake.requests == 0)
		clock_sleep_ms(5);
	test_kill(admin, test_number(admin, &holder, NULL));
}

static void
assert_kept(struct demander *d)
{
	pthread_join(d->thread, NULL);
	assert_string_equal(d->text, "acc-2");
	assert_int_equal(d->rc, ERR_OK);
	assert_given("acc-2");
	assert_true(row_has("state = 'connected' AND last_error IS NULL"));
	assert_int_equal(fake.requests, 1);
}

static void
a_pair_survives_the_loss_of_its_connection(void **state)
{
	struct demander d;

	(void)state;
	lose_the_connection_amid_a_refresh(&d);
	assert_kept(&d);
}

static void
a_pair_survives_that_the_old_one_is_sealed_anew_meanwhile(void **state)
{
	struct demander d;

	(void)state;
	lose_the_connection_amid_a_refresh(&d);
	connection_is("acc-1", "ref-1", -5); /* each seal is another */
	assert_kept(&d);
}

static void
a_pair_survives_that_the_old_one_is_refused_to_somebody_else_meanwhile(void **state)
{
	struct demander d;

	(void)state;
	lose_the_connection_amid_a_refresh(&d);
	MUST(db_command(admin,
	    "UPDATE dialpad_connections SET state = 'needs_reconnect', last_error = 'refused'", e));
	assert_kept(&d);
}

static void
a_pair_never_takes_the_place_of_a_newer_one(void **state)
{
	struct demander d;

	(void)state;
	lose_the_connection_amid_a_refresh(&d);
	connection_is("acc-9", "ref-9", 3600);
	pthread_join(d.thread, NULL);
	assert_int_equal(d.rc, ERR_CONFLICT);
	assert_given("acc-9");
}

static void
a_refused_token_is_refreshed_once_and_then_needs_a_person(void **state)
{
	(void)state;
	fake_answers(200, FRESH);
	connection_is("acc-1", "ref-1", 3600);
	MUST(dp_token_refused(&tokens, admin, app, STR("acc-1"), e));
	assert_given("acc-2");
	MUST(dp_token_refused(&tokens, admin, app, STR("acc-1"), e)); /* an old one: no matter */
	assert_given("acc-2");
	assert_int_equal(fake.requests, 1);
	EXPECT(ERR_CONFLICT, dp_token_refused(&tokens, admin, app, STR("acc-2"), e));
	assert_true(row_has("state = 'needs_reconnect'"));
	connection_is("acc-1", NULL, 0);
	EXPECT(ERR_CONFLICT, dp_token_refused(&tokens, admin, app, STR("acc-1"), e));
	assert_true(row_has("state = 'needs_reconnect'"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_for_good_needs_a_person_and_is_not_repeated),
		cmocka_unit_test(a_failure_that_may_pass_is_repeated_after_a_pause),
		cmocka_unit_test(pauses_grow_to_an_hour_and_no_further),
		cmocka_unit_test(a_token_that_still_lives_serves_while_it_cannot_be_refreshed),
		cmocka_unit_test(an_ended_token_without_a_successor_needs_a_person),
		cmocka_unit_test(what_is_not_connected_here_says_why),
		cmocka_unit_test(a_token_under_another_key_is_an_error_that_changes_nothing),
		cmocka_unit_test(a_pair_survives_the_loss_of_its_connection),
		cmocka_unit_test(a_pair_survives_that_the_old_one_is_sealed_anew_meanwhile),
		cmocka_unit_test(
		    a_pair_survives_that_the_old_one_is_refused_to_somebody_else_meanwhile),
		cmocka_unit_test(a_pair_never_takes_the_place_of_a_newer_one),
		cmocka_unit_test(a_refused_token_is_refreshed_once_and_then_needs_a_person),
	};

	return TOKEN_RUN(tests);
}

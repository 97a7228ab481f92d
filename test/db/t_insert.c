/* ingestd/insert_db: groups of events into log and queue, as the role that ingestd has. */
#include "test/db/db_test.h"

#include "common/base/arena.h"
#include "ingestd/insert_db.h"

#include <sodium.h>
#include <stdio.h>

enum { GROUP = 100, DEEP = 100000 };

static struct db_conn *admin, *ingest;

static int
connect_both(void **state)
{
	struct db_opts o = test_opts();

	(void)state;
	o.unnamed = true; /* count() sends another text each time */
	MUST(db_connect(&o, &admin, e));
	o = test_opts();
	o.role = "cti_ingest";
	MUST(db_connect(&o, &ingest, e));
	return 0;
}

static int
close_both(void **state)
{
	(void)state;
	db_close(ingest);
	db_close(admin);
	return 0;
}

static int
empty_tables(void **state)
{
	(void)state;
	MUST(db_command(admin, "TRUNCATE event_log, event_queue", e));
	return 0;
}

static int64_t
count(const char *what)
{
	char sql[1000];
	struct db_stmt s = { .name = "count", .sql = sql };

	(void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", what);
	return test_number(admin, &s, NULL);
}

/* ---- events ---- */

static const struct uuid app = { { 0xaa, 1 } };

static struct event
good_event(void)
{
	return (struct event){
		.app_id = app,
		.id = uuid_v7(),
		.hook = 1,
		.is_json = true,
		.arrived_at = clock_wall_ms(),
		.event_at = 1700000000123,
		.type = STR("ringing"),
		.dialpad_id = STR("5137304475768569"),
		.claims = STR("{\"call_id\" : 5137304475768569}"),
	};
}

static struct event
with_claims(struct str claims)
{
	struct event ev = good_event();

	ev.claims = claims;
	return ev;
}

static void
fill(struct event *events, const struct event **list, int n)
{
	for (int i = 0; i < n; i++) {
		events[i] = good_event();
		list[i] = &events[i];
	}
}

/* ---- what is stored ---- */

static void
each_column_holds_what_the_event_says(void **state)
{
	struct event ev = good_event();
	const struct event *one = &ev;

	(void)state;
	MUST(insert_group(ingest, &one, 1, e));
	assert_int_equal(count("event_log JOIN event_queue USING (app_id, event_id)"), 1);
	assert_int_equal(count("event_log WHERE app_id = 'aa010000-0000-0000-0000-000000000000'"
			       " AND hook = 1 AND source = 'webhook' AND event_type = 'ringing'"
			       " AND dialpad_event_id = '5137304475768569'"
			       " AND event_at = '2023-11-14 22:13:20.123Z'"
			       " AND arrived_at BETWEEN now() - interval '1 minute' AND now()"
			       " AND received_at >= arrived_at - interval '1 second'"),
	    1);
	assert_int_equal(count("event_log WHERE payload::text = '{\"call_id\" : 5137304475768569}'"
			       " AND payload_raw IS NULL"),
	    1);
}

static void
what_is_unknown_is_null(void **state)
{
	struct event ev = {
		.id = uuid_v7(), .arrived_at = clock_wall_ms(), .claims = { "\xff\0", 2 }
	};
	const struct event *one = &ev;

	(void)state;
	MUST(insert_group(ingest, &one, 1, e));
	assert_int_equal(count("event_log WHERE app_id = '00000000-0000-0000-0000-000000000000'"
			       " AND hook IS NULL AND event_type IS NULL AND event_at IS NULL"
			       " AND dialpad_event_id IS NULL AND payload IS NULL"
			       " AND payload_raw = '\\xff00'"),
	    1);
}

static void
a_group_goes_in_whole(void **state)
{
	struct event events[GROUP];
	const struct event *list[GROUP];

	(void)state;
	fill(events, list, GROUP);
	events[7].is_json = false;
	events[8].hook = 0;
	MUST(insert_group(ingest, list, GROUP, e));
	assert_int_equal(count("event_log JOIN event_queue USING (app_id, event_id)"), GROUP);
	assert_int_equal(count("event_log WHERE payload_raw IS NOT NULL"), 1);
	assert_int_equal(count("event_log WHERE hook IS NULL"), 1);
}

/* ---- what PostgreSQL refuses ---- */

static void
assert_kept_as_bytes(struct event bad)
{
	struct event events[GROUP];
	const struct event *list[GROUP];

	(void)empty_tables(NULL);
	fill(events, list, GROUP);
	events[31] = bad;
	MUST(insert_group(ingest, list, GROUP, e));
	assert_int_equal(count("event_log JOIN event_queue USING (app_id, event_id)"), GROUP);
	assert_int_equal(
	    count("event_log WHERE event_type = 'ringing' AND payload IS NOT NULL"), GROUP - 1);
	assert_int_equal(count("event_log WHERE payload_raw IS NOT NULL AND event_type IS NULL"
			       " AND dialpad_event_id IS NULL AND hook = 1"),
	    1);
}

static int64_t
raw_bytes(void)
{
	static const struct db_stmt s = { "raw",
		"SELECT length(payload_raw) FROM event_log WHERE payload_raw IS NOT NULL" };

	return test_number(admin, &s, NULL);
}

static void
an_event_that_postgresql_refuses_is_kept_as_bytes_and_sinks_no_other(void **state)
{
	static const struct str refused[] = { { "{\"a\":\"\xff\xfe\"}", 10 },
		{ "{\"a\":\"x\0y\"}", 11 }, { "{\"a\":", 5 }, { "", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		assert_kept_as_bytes(with_claims(refused[i]));
		assert_int_equal(raw_bytes(), refused[i].n);
	}
}

static void
claims_too_deep_for_postgresql_are_kept_as_bytes(void **state)
{
	static char deep[2 * DEEP];

	(void)state;
	memset(deep, '[', DEEP);
	memset(deep + DEEP, ']', DEEP);
	assert_kept_as_bytes(with_claims((struct str){ deep, sizeof deep }));
	assert_int_equal(raw_bytes(), sizeof deep);
}

static void
a_text_that_postgresql_refuses_is_left_out(void **state)
{
	struct event bad_type = good_event(), bad_id = good_event();

	(void)state;
	bad_type.type = (struct str){ "a\xff", 2 };
	assert_kept_as_bytes(bad_type);
	bad_id.dialpad_id = (struct str){ "1\0002", 3 };
	assert_kept_as_bytes(bad_id);
}

static void
a_group_of_nothing_but_refused_events_is_kept(void **state)
{
	struct event events[GROUP];
	const struct event *list[GROUP];

	(void)state;
	fill(events, list, GROUP);
	for (int i = 0; i < GROUP; i++)
		events[i].claims = STR("not json");
	MUST(insert_group(ingest, list, GROUP, e));
	assert_int_equal(count("event_log JOIN event_queue USING (app_id, event_id)"
			       " WHERE payload_raw = 'not json'"),
	    GROUP);
}

/* ---- twice ---- */

static void
events_that_wait_in_the_queue_are_not_stored_twice(void **state)
{
	struct event events[GROUP];
	const struct event *list[GROUP];

	(void)state;
	fill(events, list, GROUP);
	MUST(insert_group(ingest, list, GROUP / 2, e));
	MUST(insert_group(ingest, list, GROUP, e)); /* the first half again */
	assert_int_equal(count("event_log"), GROUP);
	assert_int_equal(count("event_queue"), GROUP);
	MUST(insert_group(ingest, list, GROUP, e));
	assert_int_equal(count("event_log"), GROUP);
}

/* Whether an event was done before cannot be seen by who may only insert: it is done again. */
static void
an_event_that_is_done_may_be_stored_once_more(void **state)
{
	struct event ev = good_event();
	const struct event *one = &ev;

	(void)state;
	MUST(insert_group(ingest, &one, 1, e));
	MUST(db_command(admin, "DELETE FROM event_queue", e));
	MUST(insert_group(ingest, &one, 1, e));
	assert_int_equal(count("event_queue"), 1);
	assert_int_equal(count("event_log"), 2);
}

/* ---- faults ---- */

static const char DROP_PARTITIONS[] = "DO $$ DECLARE part regclass; BEGIN"
				      " FOR part IN SELECT inhrelid::regclass FROM pg_inherits"
				      "   WHERE inhparent = 'event_log'::regclass LOOP"
				      " EXECUTE format('DROP TABLE %s', part);"
				      " END LOOP; END $$";

static void
a_missing_partition_is_made(void **state)
{
	struct event events[GROUP];
	const struct event *list[GROUP];

	(void)state;
	MUST(db_command(admin, DROP_PARTITIONS, e));
	fill(events, list, GROUP);
	events[5].claims = STR("not json"); /* both troubles at once */
	MUST(insert_group(ingest, list, GROUP, e));
	assert_int_equal(count("event_log JOIN event_queue USING (app_id, event_id)"), GROUP);
	assert_true(count("pg_inherits WHERE inhparent = 'event_log'::regclass") > 2);
}

static void
a_failure_of_ours_is_an_error_and_leaves_nothing(void **state)
{
	struct event events[2];
	const struct event *list[2];

	(void)state;
	fill(events, list, 2);
	MUST(db_command(admin, "REVOKE INSERT ON event_queue FROM cti_ingest", e));
	EXPECT(ERR_INTERNAL, insert_group(ingest, list, 2, e));
	MUST(db_command(admin, "GRANT INSERT ON event_queue TO cti_ingest", e));
	assert_int_equal(count("event_log"), 0);
	MUST(insert_group(ingest, list, 2, e));
	assert_int_equal(count("event_log"), 2);
}

#define TEST(f) cmocka_unit_test_setup(f, empty_tables)

static int
set_up(void **state)
{
	return sodium_init() < 0 ? -1 : connect_both(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_column_holds_what_the_event_says),
		TEST(what_is_unknown_is_null),
		TEST(a_group_goes_in_whole),
		TEST(an_event_that_postgresql_refuses_is_kept_as_bytes_and_sinks_no_other),
		TEST(claims_too_deep_for_postgresql_are_kept_as_bytes),
		TEST(a_text_that_postgresql_refuses_is_left_out),
		TEST(a_group_of_nothing_but_refused_events_is_kept),
		TEST(events_that_wait_in_the_queue_are_not_stored_twice),
		TEST(an_event_that_is_done_may_be_stored_once_more),
		TEST(a_missing_partition_is_made),
		TEST(a_failure_of_ours_is_an_error_and_leaves_nothing),
	};

	if (test_url() == NULL) {
		print_message("skipped: TEST_DATABASE_URL is not set\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, close_both);
}

/* common/dialpad: call_state and event. Run from the project's root: it reads test/fixtures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/dialpad/call_state.h"
#include "common/dialpad/event.h"

#include <stdio.h>

/* ---- states ---- */

static void
every_state_of_the_table_is_found_and_no_other(void **state)
{
	static const char *const unknown[] = { "", "Hangup", "hangup ", "hang", "hangups", "sms",
		"ringing\n" };

	(void)state;
#define X(name_, rank_, status_, voicemail_)                            \
	assert_string_equal(call_state_find(STR(name_))->name, name_);  \
	assert_int_equal(call_state_find(STR(name_))->rank, rank_);     \
	assert_int_equal(call_state_find(STR(name_))->status, status_); \
	assert_int_equal(call_state_find(STR(name_))->proves_voicemail, voicemail_);
	CALL_STATES(X)
#undef X
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		assert_int_equal(call_state_find(str_of(unknown[i]))->rank, 0);
	assert_int_equal(call_state_find(STR_NONE)->rank, 0);
	assert_int_equal(call_state_find(STR_NONE)->status, CALL_BY_DATES);
}

/* What the records rely on: an end outranks all that is live, one of Dialpad's outranks the sweeper's,
 * and data outranks nothing. */
static void
ranks_put_ends_above_live_states_above_data(void **state)
{
	(void)state;
#define X(name, rank, status, voicemail)                   \
	if (status == CALL_BY_DATES)                       \
		assert_int_equal(rank, 0);                 \
	else if (status < CALL_ENDED)                      \
		assert_in_range(rank, 1, 39);              \
	else if (str_eq(STR(name), STR(CALL_STATE_SWEPT))) \
		assert_int_equal(rank, 40);                \
	else                                               \
		assert_in_range(rank, 50, 99);
	CALL_STATES(X)
#undef X
	assert_true(call_state_find(STR("missed"))->rank > call_state_find(STR("hangup"))->rank);
	assert_true(call_state_find(STR("voicemail"))->rank > call_state_find(STR("missed"))->rank);
	assert_true(
	    call_state_find(STR("blocked"))->rank > call_state_find(STR("voicemail"))->rank);
	assert_true(
	    call_state_find(STR("connected"))->rank > call_state_find(STR("ringing"))->rank);
}

/* ---- events ---- */

struct expect {
	enum dialpad_kind kind;
	const char *type, *id_text;
	int64_t id, event_at;
};

static void
assert_event(const char *name, struct str text, const struct expect *want)
{
	AUTO_RELEASE(arena_release) struct arena a;
	AUTO(json) struct json *claims = NULL;
	struct dialpad_event got;
	struct err e;

	arena_init(&a);
	assert_int_equal(json_parse(text, &claims, &e), ERR_OK);
	dialpad_event_read(claims, &a, &got);
	if (got.kind != want->kind || !str_eq(got.type, str_of(want->type)) || got.id != want->id
	    || !str_eq(got.id_text, str_of(want->id_text)) || got.event_at != want->event_at)
		fail_msg("%s: kind %d, type %.*s, id %lld %.*s, at %lld", name, (int)got.kind,
		    STR_ARG(got.type), (long long)got.id, STR_ARG(got.id_text),
		    (long long)got.event_at);
}

static void
assert_json(const char *json, struct expect want)
{
	assert_event(json, str_of(json), &want);
}

static struct str
fixture(const char *name, char *text, size_t size)
{
	char path[200];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof path, "test/fixtures/dialpad/%s.json", name);
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	n = fread(text, 1, size, f);
	(void)fclose(f);
	assert_in_range(n, 1, size - 1);
	return (struct str){ text, n };
}

static void
the_samples_are_recognised(void **state)
{
#define CALL(type, id, at)                      \
	{                                       \
		DIALPAD_CALL, type, #id, id, at \
	}
#define SMS(id, at)                                 \
	{                                           \
		DIALPAD_MESSAGE, "sms", #id, id, at \
	}
	static const struct {
		const char *name;
		struct expect want;
	} samples[] = {
		{ "call_ringing_inbound_2024", CALL("ringing", 5314479320940544, 1731605955966) },
		{ "call_hangup_outbound_2023", CALL("hangup", 4611118400000000, 1682084129176) },
		{ "call_connected_seed",
		    CALL("connected", 5963972419002368, 1770243118807) }, /* date_ended */
		{ "rest_call_recorded_leg_2026", CALL("hangup", 1000000000000001, 1785979568185) },
		{ "rest_call_operator_leg_admin_recording_2026",
		    CALL("hangup", 1000000000000002, 1785979568708) },
		{ "rest_call_unanswered_2026", CALL("hangup", 1000000000000003, 1785994081662) },
		{ "invented_queued", CALL("queued", 5933240856380368, 1770243110746) },
		{ "invented_hold", CALL("hold", 5517238861821564, 1770243174281) },
		{ "invented_voicemail", CALL("voicemail", 5097083348356063, 1770243134950) },
		{ "invented_voicemail_uploaded",
		    CALL("voicemail_uploaded", 5097083348356063, 1770243161745) },
		{ "invented_transcription",
		    CALL("transcription", 5097083348356063, 1770243173682) },
		{ "invented_recording", CALL("recording", 6742236978198078, 1770243166567) },
		{ "invented_recap_summary",
		    CALL("recap_summary", 5485661322205563, 1770243198443) },
		{ "sms_inbound_2024", SMS(6095823680520192, 1731632669601) },
		{ "sms_inbound_2026_minimal", SMS(12345, 1769550395917) },
		{ "invented_sms_mms", SMS(5729785848488940, 1770243111007) },
		{ "invented_sms_status_failed", SMS(4935454301047562, 1770243114177) },
		{ "recording_details_variants", { DIALPAD_OTHER, "unknown", NULL, 0, 0 } },
	};
	static char text[64 * 1024];

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		assert_event(
		    samples[i].name, fixture(samples[i].name, text, sizeof text), &samples[i].want);
}

static void
other_kinds_are_named_by_what_they_carry(void **state)
{
	(void)state;
	assert_json("{\"event\":\"Updated\",\"contact\":{\"id\":\"7\"}}",
	    (struct expect){ DIALPAD_OTHER, "contact", NULL, 0, 0 });
	assert_json("{\"on_duty_status\":\"busy\",\"event_timestamp\":5000,\"target\":{\"id\":1}}",
	    (struct expect){ DIALPAD_OTHER, "agent_status", NULL, 0, 5000 });
	assert_json("{\"changed_by\":{\"id\":1},\"action\":\"x\"}",
	    (struct expect){ DIALPAD_OTHER, "changelog", NULL, 0, 0 });
	assert_json("{\"id\":77,\"state\":\"something\"}",
	    (struct expect){ DIALPAD_OTHER, "something", "77", 77, 0 });
	assert_json("{\"id\":5,\"state\":\"sms.delivered\"}",
	    (struct expect){ DIALPAD_MESSAGE, "sms", "5", 5, 0 });
	assert_json("{\"id\":5,\"state\":\"message.read\"}",
	    (struct expect){ DIALPAD_MESSAGE, "sms", "5", 5, 0 });
	assert_json("{\"id\":5,\"state\":\"message.reads\"}",
	    (struct expect){ DIALPAD_OTHER, "message.reads", "5", 5, 0 });
	assert_json("{}", (struct expect){ DIALPAD_OTHER, "unknown", NULL, 0, 0 });
	assert_json("{\"call_id\":null,\"id\":5,\"to_number\":[]}",
	    (struct expect){ DIALPAD_MESSAGE, "sms", "5", 5, 0 });
	assert_json("{\"id\":5,\"message_status\":\"failed\"}",
	    (struct expect){ DIALPAD_MESSAGE, "sms", "5", 5, 0 });
	assert_json("[{\"call_id\":1}]", (struct expect){ DIALPAD_OTHER, "unknown", NULL, 0, 0 });
	assert_json("\"call_id\"", (struct expect){ DIALPAD_OTHER, "unknown", NULL, 0, 0 });
}

static void
a_call_without_a_usable_state_is_a_call_still(void **state)
{
	char long_state[100];

	(void)state;
	assert_json("{\"call_id\":1}", (struct expect){ DIALPAD_CALL, "unknown", "1", 1, 0 });
	assert_json("{\"call_id\":1,\"state\":\"\"}",
	    (struct expect){ DIALPAD_CALL, "unknown", "1", 1, 0 });
	assert_json(
	    "{\"call_id\":1,\"state\":5}", (struct expect){ DIALPAD_CALL, "unknown", "1", 1, 0 });
	assert_json("{\"call_id\":1,\"state\":\"never heard of\"}",
	    (struct expect){ DIALPAD_CALL, "never heard of", "1", 1, 0 });
	(void)snprintf(long_state, sizeof long_state, "{\"call_id\":1,\"state\":\"%065d\"}", 0);
	assert_json(long_state, (struct expect){ DIALPAD_CALL, "unknown", "1", 1, 0 });
}

static void
ids_are_exact_as_numbers_and_as_digits(void **state)
{
	(void)state;
	assert_json("{\"call_id\":6286560707051431}",
	    (struct expect){ DIALPAD_CALL, "unknown", "6286560707051431", 6286560707051431, 0 });
	assert_json("{\"call_id\":\"9223372036854775807\"}",
	    (struct expect){ DIALPAD_CALL, "unknown", "9223372036854775807", INT64_MAX, 0 });
	assert_json("{\"call_id\":\"shared_1\"}",
	    (struct expect){ DIALPAD_CALL, "unknown", "shared_1", 0, 0 });
	assert_json("{\"call_id\":1.5}", (struct expect){ DIALPAD_CALL, "unknown", NULL, 0, 0 });
	assert_json("{\"call_id\":{}}", (struct expect){ DIALPAD_CALL, "unknown", NULL, 0, 0 });
}

static void
the_time_is_the_events_own_else_the_latest_date_in_it(void **state)
{
#define AT(at) (struct expect){ DIALPAD_CALL, "unknown", "1", 1, at }
	(void)state;
	assert_json("{\"call_id\":1,\"event_timestamp\":1000,\"date_ended\":9000}", AT(1000));
	assert_json("{\"call_id\":1,\"event_timestamp\":\"1785979568185\"}", AT(1785979568185));
	assert_json("{\"call_id\":1,\"event_timestamp\":1785979568185.75}", AT(1785979568185));
	assert_json(
	    "{\"call_id\":1,\"date_ended\":\"7000\",\"date_started\":9000,\"date_rang\":null}",
	    AT(9000));
	assert_json("{\"call_id\":1,\"event_timestamp\":null,\"created_date\":4000}", AT(4000));
	assert_json("{\"call_id\":1,\"updated\":4000,\"datum_x\":5000}", AT(0));
}

static void
absurd_instants_are_passed_over(void **state)
{
	static const char *const absurd[] = { "0", "-1", "-1770243109824", "253402300800000",
		"1e300", "1e999", "\"\"", "\"soon\"", "\"2026-02-04T22:11:49Z\"", "true",
		"[1770243109824]", "\"nan\"", "\"inf\"" };
	char json[200];

	(void)state;
	for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
		(void)snprintf(json, sizeof json,
		    "{\"call_id\":1,\"event_timestamp\":%s,\"date_ended\":%s}", absurd[i],
		    absurd[i]);
		assert_json(json, AT(0));
		(void)snprintf(json, sizeof json,
		    "{\"call_id\":1,\"event_timestamp\":%s,\"date_ended\":%s,"
		    "\"date_rang\":6000}",
		    absurd[i], absurd[i]);
		assert_json(json, AT(6000));
	}
	assert_json("{\"call_id\":1,\"event_timestamp\":253402300799999}", AT(253402300799999));
	assert_json("{\"call_id\":1,\"event_timestamp\":1}", AT(1));
}

static void
the_dates_of_a_body_have_an_earliest_and_a_latest(void **state)
{
	AUTO(json) struct json *claims = NULL;
	AUTO(json) struct json *without = NULL;
	int64_t earliest = 7, latest = 8;
	struct err e;

	(void)state;
	assert_int_equal(
	    json_parse(
		STR("{\"date_b\":300,\"date_started\":100,\"created_date\":\"200\",\"date_x\":0,"
		    "\"event_timestamp\":900}"),
		&claims, &e),
	    ERR_OK);
	assert_int_equal(
	    json_parse(STR("{\"event_timestamp\":5,\"date_x\":null}"), &without, &e), ERR_OK);
	assert_false(dialpad_dates(without, &earliest, &latest));
	assert_true(earliest == 7 && latest == 8);
	assert_true(dialpad_dates(claims, &earliest, &latest));
	assert_int_equal(earliest, 100);
	assert_int_equal(latest, 300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_of_the_table_is_found_and_no_other),
		cmocka_unit_test(ranks_put_ends_above_live_states_above_data),
		cmocka_unit_test(the_samples_are_recognised),
		cmocka_unit_test(other_kinds_are_named_by_what_they_carry),
		cmocka_unit_test(a_call_without_a_usable_state_is_a_call_still),
		cmocka_unit_test(ids_are_exact_as_numbers_and_as_digits),
		cmocka_unit_test(the_time_is_the_events_own_else_the_latest_date_in_it),
		cmocka_unit_test(absurd_instants_are_passed_over),
		cmocka_unit_test(the_dates_of_a_body_have_an_earliest_and_a_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* workerd/fold_read: from the payloads that Dialpad sends, and from others, to a change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fold_kit.h"

#include <stdio.h>

/* ---- what is refused ---- */

static void
assert_refused(struct str payload)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct fold_change c;
	struct err e;

	arena_init(&a);
	if (fold_read(payload, 1, &a, &c, &e) != ERR_INVALID)
		fail_msg("taken: %.*s", STR_ARG(payload));
	assert_int_equal(e.code, ERR_INVALID);
}

static void
payloads_that_are_no_record_are_invalid(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "5", "\"x\"", "null", "true",
		"[{\"call_id\":1}]", "{\"call_id\":\"one\"}", "{\"call_id\":1.5}",
		"{\"call_id\":{}}", "{\"call_id\":true}", "{\"call_id\":\"\"}", "{\"call_id\":0}",
		"{\"id\":\"x\",\"from_number\":\"+1\"}", "{\"id\":[],\"to_number\":[]}" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(str_of(bad[i]));
	assert_refused(STR_NONE);
}

static void
other_kinds_of_events_change_no_record(void **state)
{
	static const char *const others[] = { "{}",
		"{\"event\":\"Updated\",\"contact\":{\"id\":\"7\"}}",
		"{\"on_duty_status\":\"busy\"}", "{\"id\":5}",
		"{\"call_id\":null,\"state\":\"hangup\"}" };
	AUTO_RELEASE(arena_release) struct arena a;
	struct fold_change c;
	struct err e;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		assert_int_equal(fold_read(str_of(others[i]), 1, &a, &c, &e), ERR_OK);
		assert_null(c.kind);
	}
}

static void
ids_are_exact(void **state)
{
	FOLDED(
	    number, &RECORD_CALL, "{'call_id':6286560707051431,'master_call_id':5137304475768569}");
	FOLDED(digits, &RECORD_CALL,
	    "{'call_id':'9223372036854775807','master_call_id':'-9223372036854775808'}");

	(void)state;
	assert_true(number.row.r.dialpad_id == 6286560707051431);
	assert_column(number, CALL_master_call_id, "5137304475768569");
	assert_true(digits.row.r.dialpad_id == INT64_MAX);
	assert_column(digits, CALL_master_call_id, "-9223372036854775808");
}

/* ---- the samples ---- */

static struct folder
folded_sample(const struct record_kind *kind, const char *name)
{
	static char text[64 * 1024];
	char path[200];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof path, "test/fixtures/dialpad/%s.json", name);
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	n = fread(text, 1, sizeof text - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	return folded(kind, (const char *const[]){ text, NULL });
}

#define SAMPLE(f, kind, name) \
	AUTO_RELEASE(folder_release) struct folder f = folded_sample(kind, name)

static void
a_webhook_of_an_answered_call_fills_its_columns(void **state)
{
	SAMPLE(f, &RECORD_CALL, "call_hangup_outbound_2023");

	(void)state;
	assert_column(f, CALL_status, "completed");
	assert_column(f, CALL_direction, "outbound");
	assert_column(f, CALL_from, "+13215550153");
	assert_column(f, CALL_to, "+16195550105");
	assert_column(f, CALL_started_at, "1682084107944");
	assert_column(f, CALL_connected_at, "1682084116010");
	assert_column(f, CALL_ended_at, "1682084128000");
	assert_column(f, CALL_rang_at, "null");
	assert_column(f, CALL_duration, "11990");
	assert_column(f, CALL_total_duration, "20056");
	assert_column(f, CALL_target_id, "6651360000000000");
	assert_column(f, CALL_target_type, "user");
	assert_column(f, CALL_contact_id, "5600392044183552");
	assert_column(f, CALL_contact_name, "(619) 555-0105");
	assert_column(f, CALL_contact_email, "null");
	assert_column(f, CALL_mos_score, "4.4100000000000001");
	assert_column(f, CALL_was_recorded, "false");
	assert_column(f, CALL_recordings, "null");
	assert_column(f, CALL_labels, "null");
}

static void
a_ringing_webhook_fills_its_columns(void **state)
{
	SAMPLE(f, &RECORD_CALL, "call_ringing_inbound_2024");

	(void)state;
	assert_column(f, CALL_status, "ringing");
	assert_column(f, CALL_from, "+15105550100");
	assert_column(f, CALL_rang_at, "1731605955282");
	assert_column(f, CALL_target_office_id, "5527348325810176");
	assert_column(f, CALL_duration, "null");
	assert_column(f, CALL_first_event_at, "1731605955966");
	assert_column(f, CALL_first_date_at, "1731605954898");
}

static void
a_rest_body_reads_like_a_webhook(void **state)
{
	SAMPLE(recorded, &RECORD_CALL, "rest_call_recorded_leg_2026");
	SAMPLE(admin, &RECORD_CALL, "rest_call_operator_leg_admin_recording_2026");
	SAMPLE(unanswered, &RECORD_CALL, "rest_call_unanswered_2026");

	(void)state;
	assert_true(recorded.row.r.dialpad_id == 1000000000000001);
	assert_column(recorded, CALL_status, "completed");
	assert_column(recorded, CALL_started_at, "1785979436005");
	assert_column(recorded, CALL_duration, "119961");
	assert_column(recorded, CALL_recording_url, "https://dialpad.com/r/1111111111111111");
	assert_column(recorded, CALL_target_type, "department");
	assert_column(admin, CALL_recording_url,
	    "https://dialpad.com/blob/adminrecording/2222222222222222.mp3");
	assert_column(admin, CALL_recordings,
	    "[{'id':'2222222222222222','url':'https://dialpad.com/blob/adminrecording/"
	    "2222222222222222.mp3',"
	    "'duration':null,'started_at':null,'type':'admincallrecording'}]");
	assert_column(unanswered, CALL_status, "abandoned");
	assert_column(unanswered, CALL_connected_at, "null");
	assert_column(unanswered, CALL_first_event_at, "1785994081662");
}

/* ---- single columns ---- */

static void
a_contacts_id_is_text_whatever_it_was(void **state)
{
	FOLDED(number, &RECORD_CALL, "{'call_id':1,'contact':{'id':5600392044183552}}");
	FOLDED(digits, &RECORD_CALL, "{'call_id':1,'contact':{'id':'0123'}}");
	FOLDED(shared, &RECORD_CALL,
	    "{'call_id':1,'contact':{'id':'shared_contact_pool_Company:49_uid_84'}}");
	FOLDED(odd, &RECORD_CALL, "{'call_id':1,'contact':{'id':{'a':1}}}");

	(void)state;
	assert_column(number, CALL_contact_id, "5600392044183552");
	assert_column(digits, CALL_contact_id, "0123");
	assert_column(shared, CALL_contact_id, "shared_contact_pool_Company:49_uid_84");
	assert_column(odd, CALL_contact_id, "null");
}

static void
the_first_ring_stands_in_for_the_ring(void **state)
{
	FOLDED(both, &RECORD_CALL, "{'call_id':1,'date_rang':2000,'date_first_rang':1000}");
	FOLDED(first, &RECORD_CALL, "{'call_id':1,'date_rang':null,'date_first_rang':1000}");

	(void)state;
	assert_column(both, CALL_rang_at, "2000");
	assert_column(first, CALL_rang_at, "1000");
}

static void
unknown_keys_pass_and_duplicate_keys_count_once(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'state':'ringing','target':{'id':7,'planet':'Mars'},'new_in_2031':{'a':["
	    "1,{'b':2}]},"
	    "'target.id':8,'group_id':'a','group_id':'b','State':'hangup'}");

	(void)state;
	assert_column(f, CALL_status, "ringing");
	assert_column(f, CALL_target_id, "7");
	assert_column(f, CALL_group_id, "a");
}

static void
recaps_are_text_or_json_as_they_come(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'recap_summary':'S','recap_outcome':'O','recap_purposes':['p', 'q'],"
	    "'recap_action_items':[ {'who':'me', 'id':5137304475768569} ]}");
	FOLDED(text, &RECORD_CALL,
	    "{'call_id':1,'recap_purposes':'p','recap_summary':['not','text']}");

	(void)state;
	assert_column(f, CALL_recap_summary, "S");
	assert_column(f, CALL_recap_outcome, "O");
	assert_column(f, CALL_recap_purposes, "['p','q']");
	assert_column(f, CALL_recap_action_items, "[{'who':'me','id':5137304475768569}]");
	assert_column(text, CALL_recap_purposes, "'p'");
	assert_column(text, CALL_recap_summary, "null");
}

static void
absurd_instants_are_none(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'date_started':0,'date_rang':-5,'date_connected':1e300,"
	    "'date_ended':253402300800000,'date_queued':'1785979436005.9'}");

	(void)state;
	assert_column(f, CALL_started_at, "null");
	assert_column(f, CALL_rang_at, "null");
	assert_column(f, CALL_connected_at, "null");
	assert_column(f, CALL_ended_at, "null");
	assert_column(f, CALL_queued_at, "1785979436005");
}

/* ---- limits ---- */

/* `fill` bytes of x, then `tail`, as the name of a call's contact and as its transcription. */
static struct folder
with_long_text(int fill, const char *tail)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1u << 20);

	buf_add_c(&b, "{'call_id':1,'contact':{'name':'");
	for (int i = 0; i < fill; i++)
		buf_add_char(&b, 'x');
	buf_add_fmt(&b, "%s'},'transcription_text':'", tail);
	for (int i = 0; i < fill; i++)
		buf_add_char(&b, 'x');
	buf_add_fmt(&b, "%s'}", tail);
	return folded(&RECORD_CALL, (const char *const[]){ buf_c(&b), NULL });
}

static void
short_texts_are_cut_between_characters_and_long_ones_are_not(void **state)
{
	static const struct {
		int fill;
		const char *tail;
		size_t kept;
	} cases[] = { { 1024, "", 1024 }, { 1025, "", 1024 }, { 1022, "\xc3\xab", 1024 },
		{ 1023, "\xc3\xab", 1023 }, { 1022, "\xe2\x82\xac", 1022 },
		{ 1020, "\xf0\x9f\x98\x80z", 1024 }, { 1021, "\xf0\x9f\x98\x80", 1021 },
		{ 1023, "\xf0\x9f\x98\x80", 1023 }, { 9000, "\xc3\xab", 1024 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_RELEASE(folder_release)
		struct folder f = with_long_text(cases[i].fill, cases[i].tail);
		const struct record_value *v = f.row.r.v;

		assert_int_equal(v[CALL_contact_name].s.n, cases[i].kept);
		assert_int_equal(
		    v[CALL_transcription].s.n, (size_t)cases[i].fill + strlen(cases[i].tail));
	}
}

static void
text_that_no_column_can_hold_is_replaced(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'contact':{'name':'a\\u0000b\\ud800'},'transcription_text':'\\u0000',"
	    "'recap_purposes':['\\u0000']}");

	(void)state;
	assert_column(f, CALL_contact_name,
	    "a\xef\xbf\xbd"
	    "b\xef\xbf\xbd");
	assert_column(f, CALL_transcription, "\xef\xbf\xbd");
	assert_column(f, CALL_recap_purposes, "['\xef\xbf\xbd']");
}

static void
json_over_a_mebibyte_is_left_out_alone(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(4u << 20);

	(void)state;
	buf_add_c(&b, "{'call_id':1,'group_id':'g','recap_purposes':['");
	for (int i = 0; i < 1 << 20; i++)
		buf_add_char(&b, 'x');
	buf_add_c(&b, "']}");
	FOLDED(f, &RECORD_CALL, "{'call_id':1,'recap_purposes':['short']}", buf_c(&b));
	assert_column(f, CALL_recap_purposes, "['short']");
	assert_column(f, CALL_group_id, "g");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payloads_that_are_no_record_are_invalid),
		cmocka_unit_test(other_kinds_of_events_change_no_record),
		cmocka_unit_test(ids_are_exact),
		cmocka_unit_test(a_webhook_of_an_answered_call_fills_its_columns),
		cmocka_unit_test(a_ringing_webhook_fills_its_columns),
		cmocka_unit_test(a_rest_body_reads_like_a_webhook),
		cmocka_unit_test(a_contacts_id_is_text_whatever_it_was),
		cmocka_unit_test(the_first_ring_stands_in_for_the_ring),
		cmocka_unit_test(unknown_keys_pass_and_duplicate_keys_count_once),
		cmocka_unit_test(recaps_are_text_or_json_as_they_come),
		cmocka_unit_test(absurd_instants_are_none),
		cmocka_unit_test(short_texts_are_cut_between_characters_and_long_ones_are_not),
		cmocka_unit_test(text_that_no_column_can_hold_is_replaced),
		cmocka_unit_test(json_over_a_mebibyte_is_left_out_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

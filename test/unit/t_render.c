/* common/records: the objects that clients see, letter by letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json/json_in.h"
#include "common/records/record_render.h"

#define OUR_ID "0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2a"

static struct record
empty(int64_t dialpad_id)
{
	struct record r = { .dialpad_id = dialpad_id };

	assert_true(uuid_parse(STR(OUR_ID), &r.id));
	return r;
}

static void
assert_renders(void (*render)(const struct record *, struct json_out *), const struct record *r,
    const char *want)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1 << 20);
	AUTO(json) struct json *doc = NULL;
	struct json_out j;
	struct err e;

	jo_init(&j, &b);
	render(r, &j);
	assert_string_equal(buf_c(&b), want);
	assert_int_equal(json_parse(buf_str(&b), &doc, &e), ERR_OK);
}

static struct record_value
text(const char *s)
{
	return record_text(str_of(s));
}

static struct record_value
flag(bool b)
{
	return (struct record_value){ .set = true, .b = b };
}

static struct record_value
fraction(double f)
{
	return (struct record_value){ .set = true, .f = f };
}

/* ---- with nothing known ---- */

static void
a_call_of_which_nothing_is_known_has_all_keys(void **state)
{
	struct record r = empty(INT64_MAX);

	(void)state;
	assert_renders(render_call, &r,
	    "{\"id\":\"" OUR_ID
	    "\",\"call_id\":9223372036854775807,\"direction\":null,\"from\":null,\"to\":null,"
	    "\"status\":null,\"state\":null,\"started_at\":null,\"rang_at\":null,\"connected_at\":"
	    "null,"
	    "\"ended_at\":null,\"duration\":null,\"talk_time\":null,\"total_duration\":null,"
	    "\"target\":null,"
	    "\"contact\":null,\"was_recorded\":false,\"recording_url\":null,\"recordings\":[],"
	    "\"voicemail\":null,"
	    "\"transcription\":null,\"recap\":null,\"mos_score\":null,\"csat_score\":null,"
	    "\"labels\":[],"
	    "\"is_transferred\":false,\"master_call_id\":null,\"entry_point_call_id\":null,"
	    "\"operator_call_id\":null,\"group_id\":null,\"created_at\":null,\"updated_at\":null}");
}

static void
a_message_of_which_nothing_is_known_has_all_keys(void **state)
{
	struct record r = empty(12345);

	(void)state;
	assert_renders(render_message, &r,
	    "{\"id\":\"" OUR_ID
	    "\",\"message_id\":12345,\"direction\":null,\"from\":null,\"to\":null,"
	    "\"to_numbers\":[],\"text\":null,\"status\":null,\"delivery_result\":null,\"is_mms\":"
	    "false,"
	    "\"media_url\":null,\"is_internal\":false,\"target\":null,\"contact\":null,\"sent_at\":"
	    "null,"
	    "\"created_at\":null,\"updated_at\":null}");
}

static void
a_voicemail_of_which_nothing_is_known_has_all_keys(void **state)
{
	struct record r = empty(1);

	(void)state;
	assert_renders(render_voicemail, &r,
	    "{\"id\":\"" OUR_ID
	    "\",\"call_id\":1,\"from\":null,\"to\":null,\"target\":null,\"contact\":null,"
	    "\"recording_id\":null,\"recording_url\":null,\"duration\":null,\"transcription\":null,"
	    "\"left_at\":null,\"created_at\":null,\"updated_at\":null}");
}

/* ---- with all known ---- */

static struct record
full_call(void)
{
	struct record r = empty(5137304475768569);

	r.v[CALL_direction] = text("outbound");
	r.v[CALL_external_number] = text("never shown");
	r.v[CALL_internal_number] = text("never shown");
	r.v[CALL_from] = text("+13342459504");
	r.v[CALL_to] = text("+13345521280");
	r.v[CALL_status] = text("completed");
	r.v[CALL_state] = text("hangup");
	r.v[CALL_started_at] = record_int(1770243109824);
	r.v[CALL_queued_at] = record_int(1);
	r.v[CALL_rang_at] = record_int(1770243110000);
	r.v[CALL_connected_at] = record_int(1770243113900);
	r.v[CALL_ended_at] = record_int(1770243118807);
	r.v[CALL_duration] = record_int(5000);
	r.v[CALL_talk_time] = record_int(5001);
	r.v[CALL_total_duration] = record_int(8984);
	r.v[CALL_hold_time] = record_int(9);
	r.v[CALL_target_id] = record_int(5600409256689664);
	r.v[CALL_target_type] = text("call_center");
	r.v[CALL_target_name] = text("Support \"Nord\"");
	r.v[CALL_target_email] = text("s@example.com");
	r.v[CALL_target_phone] = text("+1");
	r.v[CALL_target_office_id] = record_int(6286560707051431);
	r.v[CALL_contact_id] = text("shared_contact_pool_7");
	r.v[CALL_contact_name] = text("In\xc3\xa9s");
	r.v[CALL_contact_phone] = text("+2");
	r.v[CALL_contact_email] = text("i@example.com");
	r.v[CALL_contact_type] = text("shared");
	r.v[CALL_was_recorded] = flag(true);
	r.v[CALL_recording_url] = text("https://dialpad.com/r/1");
	r.v[CALL_recordings] = text("[{\"id\":\"1\"}]");
	r.v[CALL_voicemail_at] = record_int(1);
	r.v[CALL_voicemail_recording_id] = record_int(5544536335512699);
	r.v[CALL_voicemail_url] = text("https://dialpad.com/v/5");
	r.v[CALL_voicemail_duration] = record_int(12650);
	r.v[CALL_voicemail_left_at] = record_int(2);
	r.v[CALL_transcription] = text("Hello\nthere");
	r.v[CALL_recap_summary] = text("sum");
	r.v[CALL_recap_outcome] = text("out");
	r.v[CALL_recap_purposes] = text("[\"p\"]");
	r.v[CALL_recap_action_items] = text("{\"a\":[1]}");
	r.v[CALL_mos_score] = fraction(4.41);
	r.v[CALL_csat_score] = fraction(5);
	r.v[CALL_labels] = text("[\"vip\"]");
	r.v[CALL_is_transferred] = flag(true);
	r.v[CALL_master_call_id] = record_int(11);
	r.v[CALL_entry_point_call_id] = record_int(12);
	r.v[CALL_operator_call_id] = record_int(13);
	r.v[CALL_group_id] = text("Office:1");
	r.v[CALL_ended_reason] = text("never shown");
	r.v[CALL_sort_at] = r.v[CALL_first_date_at] = r.v[CALL_first_event_at] = record_int(3);
	r.v[CALL_created_at] = record_int(1770243120000);
	r.v[CALL_updated_at] = record_int(1770243121001);
	return r;
}

static void
a_call_shows_all_that_is_known(void **state)
{
	struct record r = full_call();

	(void)state;
	assert_renders(render_call, &r,
	    "{\"id\":\"" OUR_ID "\",\"call_id\":5137304475768569,\"direction\":\"outbound\","
	    "\"from\":\"+13342459504\",\"to\":\"+13345521280\",\"status\":\"completed\",\"state\":"
	    "\"hangup\","
	    "\"started_at\":\"2026-02-04T22:11:49.824Z\",\"rang_at\":\"2026-02-04T22:11:50.000Z\","
	    "\"connected_at\":\"2026-02-04T22:11:53.900Z\",\"ended_at\":\"2026-02-04T22:11:58."
	    "807Z\","
	    "\"duration\":5000,\"talk_time\":5001,\"total_duration\":8984,"
	    "\"target\":{\"id\":5600409256689664,\"type\":\"call_center\",\"name\":\"Support "
	    "\\\"Nord\\\"\","
	    "\"email\":\"s@example.com\",\"phone\":\"+1\",\"office_id\":6286560707051431},"
	    "\"contact\":{\"id\":\"shared_contact_pool_7\",\"name\":\"In\xc3\xa9s\",\"phone\":\"+"
	    "2\","
	    "\"email\":\"i@example.com\",\"type\":\"shared\"},"
	    "\"was_recorded\":true,\"recording_url\":\"https://dialpad.com/r/"
	    "1\",\"recordings\":[{\"id\":\"1\"}],"
	    "\"voicemail\":{\"recording_id\":5544536335512699,\"recording_url\":\"https://"
	    "dialpad.com/v/5\","
	    "\"duration\":12650},\"transcription\":\"Hello\\nthere\","
	    "\"recap\":{\"summary\":\"sum\",\"outcome\":\"out\",\"purposes\":[\"p\"],\"action_"
	    "items\":{\"a\":[1]}},"
	    "\"mos_score\":4.41,\"csat_score\":5,\"labels\":[\"vip\"],\"is_transferred\":true,"
	    "\"master_call_id\":11,\"entry_point_call_id\":12,\"operator_call_id\":13,\"group_id\":"
	    "\"Office:1\","
	    "\"created_at\":\"2026-02-04T22:12:00.000Z\",\"updated_at\":\"2026-02-04T22:12:01."
	    "001Z\"}");
}

static void
a_message_shows_all_that_is_known(void **state)
{
	struct record r = empty(6095823680520192);

	(void)state;
	r.v[MESSAGE_direction] = text("inbound");
	r.v[MESSAGE_from] = text("+1");
	r.v[MESSAGE_to] = text("+2");
	r.v[MESSAGE_to_numbers] = text("[\"+2\",\"+3\"]");
	r.v[MESSAGE_text] = text("");
	r.v[MESSAGE_status] = text("failed");
	r.v[MESSAGE_delivery_result] = text("no_route");
	r.v[MESSAGE_is_mms] = flag(true);
	r.v[MESSAGE_media_url] = text("https://dialpad.com/mms/1");
	r.v[MESSAGE_is_internal] = flag(true);
	r.v[MESSAGE_sender_id] = record_int(9);
	r.v[MESSAGE_target_id] = record_int(5527348325810176);
	r.v[MESSAGE_target_type] = text("office");
	r.v[MESSAGE_target_name] = text("Main");
	r.v[MESSAGE_target_phone] = text("(510) 555-0160");
	r.v[MESSAGE_contact_id] = text("123");
	r.v[MESSAGE_contact_type] = text("local");
	r.v[MESSAGE_contact_name] = text("C");
	r.v[MESSAGE_contact_phone] = text("+1");
	r.v[MESSAGE_contact_email] = text("c@example.com");
	r.v[MESSAGE_sent_at] = record_int(1731632669183);
	r.v[MESSAGE_created_at] = record_int(1731632670000);
	r.v[MESSAGE_updated_at] = record_int(1731632671000);
	assert_renders(render_message, &r,
	    "{\"id\":\"" OUR_ID
	    "\",\"message_id\":6095823680520192,\"direction\":\"inbound\",\"from\":\"+1\","
	    "\"to\":\"+2\",\"to_numbers\":[\"+2\",\"+3\"],\"text\":\"\",\"status\":\"failed\","
	    "\"delivery_result\":\"no_route\",\"is_mms\":true,\"media_url\":\"https://dialpad.com/"
	    "mms/1\","
	    "\"is_internal\":true,\"target\":{\"id\":5527348325810176,\"type\":\"office\",\"name\":"
	    "\"Main\","
	    "\"email\":null,\"phone\":\"(510) "
	    "555-0160\",\"office_id\":null},\"contact\":{\"id\":\"123\",\"name\":\"C\","
	    "\"phone\":\"+1\",\"email\":\"c@example.com\",\"type\":\"local\"},\"sent_at\":\"2024-"
	    "11-15T01:04:29.183Z\","
	    "\"created_at\":\"2024-11-15T01:04:30.000Z\",\"updated_at\":\"2024-11-15T01:04:31."
	    "000Z\"}");
}

static void
a_voicemail_shows_all_that_is_known(void **state)
{
	struct record r = empty(5097083348356063);

	(void)state;
	r.v[VOICEMAIL_from] = text("+1");
	r.v[VOICEMAIL_to] = text("+2");
	r.v[VOICEMAIL_target_id] = record_int(7);
	r.v[VOICEMAIL_target_type] = text("user");
	r.v[VOICEMAIL_target_name] = text("Maya");
	r.v[VOICEMAIL_target_email] = text("m@example.com");
	r.v[VOICEMAIL_target_phone] = text("+2");
	r.v[VOICEMAIL_target_office_id] = record_int(8);
	r.v[VOICEMAIL_contact_id] = text("c");
	r.v[VOICEMAIL_contact_name] = text("C");
	r.v[VOICEMAIL_contact_phone] = text("+1");
	r.v[VOICEMAIL_contact_email] = text("c@example.com");
	r.v[VOICEMAIL_contact_type] = text("local");
	r.v[VOICEMAIL_recording_id] = record_int(5544536335512699);
	r.v[VOICEMAIL_recording_url] = text("https://dialpad.com/v/5");
	r.v[VOICEMAIL_duration] = record_int(12650);
	r.v[VOICEMAIL_transcription] = text("Hello");
	r.v[VOICEMAIL_left_at] = record_int(1770243140547);
	r.v[VOICEMAIL_sort_at] = record_int(1);
	r.v[VOICEMAIL_created_at] = record_int(1770243160000);
	r.v[VOICEMAIL_updated_at] = record_int(1770243170000);
	assert_renders(render_voicemail, &r,
	    "{\"id\":\"" OUR_ID
	    "\",\"call_id\":5097083348356063,\"from\":\"+1\",\"to\":\"+2\",\"target\":{\"id\":7,"
	    "\"type\":\"user\",\"name\":\"Maya\",\"email\":\"m@example.com\",\"phone\":\"+2\","
	    "\"office_id\":8},"
	    "\"contact\":{\"id\":\"c\",\"name\":\"C\",\"phone\":\"+1\",\"email\":\"c@example.com\","
	    "\"type\":\"local\"},"
	    "\"recording_id\":5544536335512699,\"recording_url\":\"https://dialpad.com/v/"
	    "5\",\"duration\":12650,"
	    "\"transcription\":\"Hello\",\"left_at\":\"2026-02-04T22:12:20.547Z\","
	    "\"created_at\":\"2026-02-04T22:12:40.000Z\",\"updated_at\":\"2026-02-04T22:12:50."
	    "000Z\"}");
}

/* ---- in between ---- */

static void
assert_member(const struct record *r, const char *want)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1 << 20);
	struct json_out j;

	jo_init(&j, &b);
	render_call(r, &j);
	if (strstr(buf_c(&b), want) == NULL)
		fail_msg("no %s in %s", want, buf_c(&b));
}

static void
an_object_of_which_one_member_is_known_has_all_of_them(void **state)
{
	struct record r = empty(1);

	(void)state;
	r.v[CALL_target_type] = text("user");
	r.v[CALL_contact_id] = text("9");
	r.v[CALL_recap_outcome] = text("o");
	assert_member(&r,
	    "\"target\":{\"id\":null,\"type\":\"user\",\"name\":null,\"email\":null,\"phone\":null,"
	    "\"office_id\":null}");
	assert_member(&r,
	    "\"contact\":{\"id\":\"9\",\"name\":null,\"phone\":null,\"email\":null,\"type\":null}");
	assert_member(&r,
	    "\"recap\":{\"summary\":null,\"outcome\":\"o\",\"purposes\":null,\"action_items\":"
	    "null}");
}

static void
a_voicemail_appears_once_its_upload_is_proven(void **state)
{
	struct record r = empty(1);

	(void)state;
	r.v[CALL_voicemail_recording_id] = record_int(5);
	r.v[CALL_voicemail_url] = text("https://dialpad.com/v/5");
	assert_member(&r, "\"voicemail\":null");
	r.v[CALL_voicemail_at] = record_int(1);
	assert_member(&r,
	    "\"voicemail\":{\"recording_id\":5,\"recording_url\":\"https://dialpad.com/v/5\","
	    "\"duration\":null}");
}

static void
a_total_duration_that_was_not_sent_runs_from_start_to_end(void **state)
{
	struct record r = empty(1);

	(void)state;
	r.v[CALL_started_at] = record_int(1000);
	assert_member(&r, "\"total_duration\":null");
	r.v[CALL_ended_at] = record_int(999);
	assert_member(&r, "\"total_duration\":null");
	r.v[CALL_ended_at] = record_int(1000);
	assert_member(&r, "\"total_duration\":0");
	r.v[CALL_ended_at] = record_int(4508);
	assert_member(&r, "\"total_duration\":3508");
	r.v[CALL_total_duration] = record_int(7);
	assert_member(&r, "\"total_duration\":7");
}

static void
our_id_is_made_of_app_kind_and_dialpads_id(void **state)
{
	struct uuid app = empty(0).id, other;
	struct uuid id = record_id(app, &RECORD_CALL, 5);

	(void)state;
	assert_true(uuid_parse(STR("0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2b"), &other));
	assert_true(uuid_eq(id, uuid_v5(app, STR("call|5"))));
	assert_true(uuid_eq(id, record_id(app, &RECORD_CALL, 5)));
	assert_false(uuid_eq(id, record_id(app, &RECORD_CALL, 6)));
	assert_false(uuid_eq(id, record_id(app, &RECORD_VOICEMAIL, 5)));
	assert_false(uuid_eq(id, record_id(app, &RECORD_MESSAGE, 5)));
	assert_false(uuid_eq(id, record_id(other, &RECORD_CALL, 5)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_of_which_nothing_is_known_has_all_keys),
		cmocka_unit_test(a_message_of_which_nothing_is_known_has_all_keys),
		cmocka_unit_test(a_voicemail_of_which_nothing_is_known_has_all_keys),
		cmocka_unit_test(a_call_shows_all_that_is_known),
		cmocka_unit_test(a_message_shows_all_that_is_known),
		cmocka_unit_test(a_voicemail_shows_all_that_is_known),
		cmocka_unit_test(an_object_of_which_one_member_is_known_has_all_of_them),
		cmocka_unit_test(a_voicemail_appears_once_its_upload_is_proven),
		cmocka_unit_test(a_total_duration_that_was_not_sent_runs_from_start_to_end),
		cmocka_unit_test(our_id_is_made_of_app_kind_and_dialpads_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

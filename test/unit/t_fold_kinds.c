/* workerd/fold: texts, and the voicemail that was left on a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fold_kit.h"

/* ---- texts ---- */

static void
a_text_fills_its_columns(void **state)
{
	FOLDED(f, &RECORD_MESSAGE,
	    "{'id':6095823680520192,'created_date':1731632669183,'event_timestamp':1731632669601,'direction':'inbound',"
	    "'from_number':'+15105550102','to_number':['+15105550160','+15105550161'],'text':'Hi','text_content':'Hi',"
	    "'message_status':'pending','message_delivery_result':null,'mms':true,'mms_url':'https://dialpad.com/mms/1',"
	    "'is_internal':false,'sender_id':'77','admins':[{'id':9}],"
	    "'target':{'id':5527348325810176,'name':'Office','phone_number':'(510) 555-0160','type':'office'},"
	    "'contact':{'id':'123','name':'Caller','phone_number':'+15105550102','email':'c@example.com','type':'local'}}");

	(void)state;
	assert_true(f.row.r.dialpad_id == 6095823680520192);
	assert_column(f, MESSAGE_direction, "inbound");
	assert_column(f, MESSAGE_from, "+15105550102");
	assert_column(f, MESSAGE_to, "+15105550160");
	assert_column(f, MESSAGE_to_numbers, "['+15105550160','+15105550161']");
	assert_column(f, MESSAGE_text, "Hi");
	assert_column(f, MESSAGE_status, "pending");
	assert_column(f, MESSAGE_delivery_result, "null");
	assert_column(f, MESSAGE_is_mms, "true");
	assert_column(f, MESSAGE_media_url, "https://dialpad.com/mms/1");
	assert_column(f, MESSAGE_is_internal, "false");
	assert_column(f, MESSAGE_sender_id, "77");
	assert_column(f, MESSAGE_target_id, "5527348325810176");
	assert_column(f, MESSAGE_target_type, "office");
	assert_column(f, MESSAGE_target_name, "Office");
	assert_column(f, MESSAGE_target_phone, "(510) 555-0160");
	assert_column(f, MESSAGE_contact_id, "123");
	assert_column(f, MESSAGE_contact_type, "local");
	assert_column(f, MESSAGE_contact_name, "Caller");
	assert_column(f, MESSAGE_contact_phone, "+15105550102");
	assert_column(f, MESSAGE_contact_email, "c@example.com");
	assert_column(f, MESSAGE_sent_at, "1731632669183");
	assert_column(f, MESSAGE_sort_at, "1731632669183");
	assert_column(f, MESSAGE_first_event_at, "1731632669601");
	assert_column(f, MESSAGE_created_at, "1000");
	assert_column(f, MESSAGE_updated_at, "1000");
}

static void
recipients_are_a_list_in_their_own_order_or_one(void **state)
{
	FOLDED(list, &RECORD_MESSAGE, "{'id':1,'to_number':['+9','+1',null,7,'+9']}");
	FOLDED(one, &RECORD_MESSAGE, "{'id':1,'to_number':'+9'}");
	FOLDED(none, &RECORD_MESSAGE, "{'id':1,'from_number':'+1','to_number':[]}");
	FOLDED(odd, &RECORD_MESSAGE, "{'id':1,'to_number':{'a':'+1'}}");
	FOLDED(kept, &RECORD_MESSAGE, "{'id':1,'event_timestamp':1000,'to_number':['+9']}",
	    "{'id':1,'event_timestamp':2000,'to_number':[]}");

	(void)state;
	assert_column(list, MESSAGE_to_numbers, "['+9','+1','+9']");
	assert_column(list, MESSAGE_to, "+9");
	assert_column(one, MESSAGE_to_numbers, "['+9']");
	assert_column(one, MESSAGE_to, "+9");
	assert_column(none, MESSAGE_to_numbers, "null");
	assert_column(none, MESSAGE_to, "null");
	assert_column(odd, MESSAGE_to_numbers, "null");
	assert_column(kept, MESSAGE_to, "+9");
}

static void
the_text_comes_under_either_key_and_may_be_empty(void **state)
{
	FOLDED(text, &RECORD_MESSAGE, "{'id':1,'to_number':'+1','text':'a','text_content':'b'}");
	FOLDED(
	    content, &RECORD_MESSAGE, "{'id':1,'to_number':'+1','text':null,'text_content':'b'}");
	FOLDED(empty, &RECORD_MESSAGE, "{'id':1,'to_number':'+1','text':''}");
	FOLDED(hidden, &RECORD_MESSAGE, "{'id':1,'to_number':'+1'}");

	(void)state;
	assert_column(text, MESSAGE_text, "a");
	assert_column(content, MESSAGE_text, "b");
	assert_column(empty, MESSAGE_text, "");
	assert_column(hidden, MESSAGE_text, "null");
}

static void
a_delivered_text_is_never_pending_again(void **state)
{
#define STATUS(at, status) \
	"{'id':1,'from_number':'+1','event_timestamp':" at ",'message_status':" status "}"
	FOLDED(late, &RECORD_MESSAGE, STATUS("2000", "'success'"), STATUS("1000", "'pending'"));
	FOLDED(later, &RECORD_MESSAGE, STATUS("2000", "'failed'"), STATUS("3000", "'pending'"),
	    STATUS("4000", "null"));
	FOLDED(both, &RECORD_MESSAGE, STATUS("3000", "'failed'"), STATUS("2000", "'success'"));
	FOLDED(novel, &RECORD_MESSAGE, STATUS("3000", "'queued'"), STATUS("2000", "'pending'"),
	    STATUS("1000", "'success'"));

	(void)state;
	assert_column(late, MESSAGE_status, "success");
	assert_column(later, MESSAGE_status, "failed");
	assert_column(both, MESSAGE_status, "failed");
	assert_column(novel, MESSAGE_status, "success");
}

static void
states_of_older_descriptions_say_direction_and_status(void **state)
{
#define STATE(at, state, more) "{'id':1,'event_timestamp':" at ",'state':'" state "'" more "}"
	FOLDED(received, &RECORD_MESSAGE, STATE("1000", "sms.received", ""));
	FOLDED(sent, &RECORD_MESSAGE, STATE("1000", "sms.sent", ""));
	FOLDED(delivered, &RECORD_MESSAGE, STATE("1000", "sms.delivered", ""),
	    STATE("2000", "sms.sent", ""), STATE("3000", "message.read", ""));
	FOLDED(told, &RECORD_MESSAGE,
	    STATE("1000", "sms.delivered", ",'direction':'inbound','message_status':'failed'"));

	(void)state;
	assert_column(received, MESSAGE_direction, "inbound");
	assert_column(received, MESSAGE_status, "null");
	assert_column(sent, MESSAGE_direction, "outbound");
	assert_column(sent, MESSAGE_status, "pending");
	assert_column(delivered, MESSAGE_direction, "outbound");
	assert_column(delivered, MESSAGE_status, "success");
	assert_column(told, MESSAGE_direction, "inbound");
	assert_column(told, MESSAGE_status, "failed");
}

static void
a_delivery_result_outlives_the_nulls_around_it(void **state)
{
	FOLDED(f, &RECORD_MESSAGE,
	    "{'id':1,'event_timestamp':2000,'message_status':'failed','message_delivery_result':'no_route'}",
	    "{'id':1,'event_timestamp':3000,'message_status':'failed','message_delivery_result':null}");

	(void)state;
	assert_column(f, MESSAGE_delivery_result, "no_route");
}

/* ---- voicemails ---- */

#define MESSAGE_LEFT                                                                                            \
	"{'call_id':5,'state':'voicemail','event_timestamp':2000,'direction':'inbound','external_number':'+1'," \
	"'internal_number':'+2','date_started':1000,'date_rang':1100,"                                          \
	"'voicemail_link':'https://dialpad.com/v/5','target':{'id':7,'type':'user'},'contact':{'id':8,'name':'C'}}"
#define UPLOADED                                                                                                      \
	"{'call_id':5,'state':'voicemail_uploaded','event_timestamp':4000,'voicemail_recording_id':5544536335512699," \
	"'recording_details':[{'id':'5544536335512699','recording_type':'voicemail','duration':12650,"                \
	"'start_time':3000,'url':'https://dialpad.com/r/5544536335512699'}]}"

static void
no_voicemail_exists_before_its_upload(void **state)
{
	FOLDED(f, &RECORD_CALL, MESSAGE_LEFT,
	    "{'call_id':5,'state':'transcription','event_timestamp':3000,'transcription_text':'T',"
	    "'voicemail_recording_id':9}");
	struct record v;

	(void)state;
	assert_false(fold_voicemail(&f.row, &v));
	assert_column(f, CALL_status, "voicemail");
	assert_column(f, CALL_voicemail_at, "null");
	assert_column(f, CALL_voicemail_recording_id, "9");
}

static void
assert_voicemail(struct folder *f, enum voicemail_field field, const char *want)
{
	struct record v;
	struct str got;

	assert_true(fold_voicemail(&f->row, &v));
	got = value_text(&f->arena, RECORD_VOICEMAIL.fields[field].type, &v.v[field]);
	if (!str_eq(got, str_of(want)))
		fail_msg("%s is %.*s, not %s", RECORD_VOICEMAIL.fields[field].column, STR_ARG(got),
		    want);
}

static void
an_uploaded_voicemail_is_a_projection_of_its_call(void **state)
{
	FOLDED(f, &RECORD_CALL, UPLOADED, MESSAGE_LEFT,
	    "{'call_id':5,'state':'transcription','event_timestamp':5000,'transcription_text':'T'}");
	struct record v;

	(void)state;
	assert_true(fold_voicemail(&f.row, &v));
	assert_true(v.dialpad_id == 5);
	assert_voicemail(&f, VOICEMAIL_from, "+1");
	assert_voicemail(&f, VOICEMAIL_to, "+2");
	assert_voicemail(&f, VOICEMAIL_target_id, "7");
	assert_voicemail(&f, VOICEMAIL_target_type, "user");
	assert_voicemail(&f, VOICEMAIL_contact_id, "8");
	assert_voicemail(&f, VOICEMAIL_contact_name, "C");
	assert_voicemail(&f, VOICEMAIL_recording_id, "5544536335512699");
	assert_voicemail(&f, VOICEMAIL_recording_url, "https://dialpad.com/v/5");
	assert_voicemail(&f, VOICEMAIL_duration, "12650");
	assert_voicemail(&f, VOICEMAIL_transcription, "T");
	assert_voicemail(&f, VOICEMAIL_left_at, "3000");
	assert_voicemail(&f, VOICEMAIL_sort_at, "3000");
	assert_voicemail(&f, VOICEMAIL_created_at, "1000"); /* the receipt of its upload */
	assert_voicemail(&f, VOICEMAIL_updated_at, "3000"); /* the receipt of the last event */
}

static void
a_voicemail_without_details_was_left_when_it_was_uploaded(void **state)
{
	FOLDED(f, &RECORD_CALL, "{'call_id':5,'state':'voicemail_uploaded','event_timestamp':4000}",
	    "{'call_id':5,'state':'voicemail_uploaded','event_timestamp':3500}");

	(void)state;
	assert_voicemail(&f, VOICEMAIL_left_at, "3500");
	assert_voicemail(&f, VOICEMAIL_duration, "null");
	assert_voicemail(&f, VOICEMAIL_recording_id, "null");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_fills_its_columns),
		cmocka_unit_test(recipients_are_a_list_in_their_own_order_or_one),
		cmocka_unit_test(the_text_comes_under_either_key_and_may_be_empty),
		cmocka_unit_test(a_delivered_text_is_never_pending_again),
		cmocka_unit_test(states_of_older_descriptions_say_direction_and_status),
		cmocka_unit_test(a_delivery_result_outlives_the_nulls_around_it),
		cmocka_unit_test(no_voicemail_exists_before_its_upload),
		cmocka_unit_test(an_uploaded_voicemail_is_a_projection_of_its_call),
		cmocka_unit_test(a_voicemail_without_details_was_left_when_it_was_uploaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* workerd/fold: calls that a repair found in Dialpad's list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fold_kit.h"

#define RINGING                                                                      \
	"{'call_id':1,'state':'ringing','event_timestamp':1100,'date_started':1000," \
	"'date_rang':1050}"
#define CONNECTED                                                  \
	"{'call_id':1,'state':'connected','event_timestamp':2100," \
	"'date_started':1000,'date_rang':1050,'date_connected':2000}"
#define HANGUP                                                                      \
	"{'call_id':1,'state':'hangup','event_timestamp':9100,'date_started':1000," \
	"'date_connected':2000,'date_ended':9000,'target':{'id':5,'type':'user'}}"
/* As Dialpad lists it: numbers are text, the time is that of the request. */
#define LIST(more)                                                             \
	LISTED "{'call_id':'1','state':'hangup','event_timestamp':'99999999'," \
	       "'date_started':'1000','date_ended':'9000'" more "}"
#define ANSWERED LIST(",'date_connected':'2000','target':{'id':'5','type':'office'}")

static void
a_listed_call_is_over_and_marked(void **state)
{
	FOLDED(alone, &RECORD_CALL, ANSWERED);
	FOLDED(missed, &RECORD_CALL, LIST(",'date_rang':'1050'"));
	FOLDED(abandoned, &RECORD_CALL, LIST(""));
	FOLDED(live, &RECORD_CALL, CONNECTED, ANSWERED);

	(void)state;
	assert_column(alone, CALL_status, "completed");
	assert_column(alone, CALL_ended_reason, "repaired");
	assert_column(missed, CALL_status, "missed");
	assert_column(abandoned, CALL_status, "abandoned");
	assert_column(live, CALL_status, "completed");
	assert_column(live, CALL_ended_reason, "repaired");
}

static void
any_end_of_dialpads_own_wins_in_any_order(void **state)
{
	FOLDED(before, &RECORD_CALL, HANGUP, ANSWERED);
	FOLDED(after, &RECORD_CALL, ANSWERED, HANGUP);

	(void)state;
	assert_column(before, CALL_ended_reason, "null");
	assert_column(after, CALL_ended_reason, "null");
	assert_column(before, CALL_target_type, "user");
	assert_column(after, CALL_target_type, "user");
}

static void
a_listed_end_wins_over_the_sweepers_guess_and_over_late_live_events(void **state)
{
	FOLDED(swept, &RECORD_CALL, ANSWERED,
	    SWEPT
	    "{'call_id':1,'state':'no_final_event','event_timestamp':99000,'date_ended':null}");
	FOLDED(late, &RECORD_CALL, ANSWERED, RINGING);

	(void)state;
	assert_column(swept, CALL_status, "completed");
	assert_column(swept, CALL_ended_reason, "repaired");
	assert_column(late, CALL_status, "completed");
}

static void
a_listed_voicemail_is_told_by_its_parts(void **state)
{
	FOLDED(empty, &RECORD_CALL, LIST(",'voicemail_share_link':'https://dialpad.com/v/1'"));
	FOLDED(left, &RECORD_CALL,
	    LIST(",'recording_details':[{'id':'77','recording_type':'voicemail',"
		 "'url':'https://dialpad.com/r/77','duration':'5000'}]"));
	struct record voicemail;

	(void)state;
	assert_column(empty, CALL_status, "voicemail");
	assert_false(fold_voicemail(&empty.row, &voicemail));
	assert_column(left, CALL_status, "voicemail");
	assert_true(fold_voicemail(&left.row, &voicemail));
	assert_column(left, CALL_voicemail_recording_id, "77");
	assert_column(left, CALL_voicemail_url, "https://dialpad.com/r/77");
}

static void
a_listed_call_without_an_end_ends_nothing(void **state)
{
	FOLDED(f, &RECORD_CALL, RINGING,
	    LISTED "{'call_id':'1','state':'hangup','event_timestamp':'99','date_started':'1000'}");

	(void)state;
	assert_column(f, CALL_status, "ringing");
	assert_column(f, CALL_ended_reason, "null");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listed_call_is_over_and_marked),
		cmocka_unit_test(any_end_of_dialpads_own_wins_in_any_order),
		cmocka_unit_test(
		    a_listed_end_wins_over_the_sweepers_guess_and_over_late_live_events),
		cmocka_unit_test(a_listed_voicemail_is_told_by_its_parts),
		cmocka_unit_test(a_listed_call_without_an_end_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

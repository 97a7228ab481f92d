/* workerd/fold: what events make of a call, rule by rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fold_kit.h"

#include <stdio.h>

#define RINGING                                                                                 \
	"{'call_id':1,'state':'ringing','event_timestamp':1000,'date_started':900,'date_rang':" \
	"950}"
#define HANGUP                                                                                     \
	"{'call_id':1,'state':'hangup','event_timestamp':5000,'date_started':900,'date_rang':950," \
	"'date_connected':2000,'date_ended':4900}"

/* ---- status ---- */

static void
each_state_has_its_status(void **state)
{
	static const char *const table[][2] = {
		{ "calling", "ringing" },
		{ "preanswer", "ringing" },
		{ "ringing", "ringing" },
		{ "queued", "queued" },
		{ "connected", "connected" },
		{ "hold", "on_hold" },
		{ "on_hold", "on_hold" },
		{ "parked", "parked" },
		{ "merged", "connected" },
		{ "monitor", "connected" },
		{ "barge", "connected" },
		{ "takeover", "connected" },
		{ "eavesdrop", "connected" },
		{ "transfer_initiated", "connected" },
		{ "missed", "missed" },
		{ "abandoned", "abandoned" },
		{ "voicemail", "voicemail" },
		{ "voicemail_uploaded", "voicemail" },
		{ "voicemail.created", "voicemail" },
		{ "blocked", "blocked" },
	};
	char event[200];

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		(void)snprintf(event, sizeof event,
		    "{'call_id':1,'state':'%s','event_timestamp':1000}", table[i][0]);
		FOLDED(f, &RECORD_CALL, event);
		assert_column(f, CALL_status, table[i][1]);
		assert_column(f, CALL_state, table[i][0]);
	}
}

static void
a_hangup_is_completed_missed_or_abandoned_by_its_dates(void **state)
{
	FOLDED(completed, &RECORD_CALL, HANGUP);
	FOLDED(unrung, &RECORD_CALL,
	    "{'call_id':1,'state':'hangup','date_connected':2000,'date_ended':3000}");
	FOLDED(missed, &RECORD_CALL,
	    "{'call_id':1,'state':'hangup','date_rang':2000,'date_ended':3000}");
	FOLDED(first_rang, &RECORD_CALL,
	    "{'call_id':1,'state':'hangup','date_first_rang':2000,'date_rang':null}");
	FOLDED(abandoned, &RECORD_CALL,
	    "{'call_id':1,'state':'hangup','date_queued':2000,'date_ended':3000}");

	(void)state;
	assert_column(completed, CALL_status, "completed");
	assert_column(unrung, CALL_status, "completed");
	assert_column(missed, CALL_status, "missed");
	assert_column(first_rang, CALL_status, "missed");
	assert_column(abandoned, CALL_status, "abandoned");
}

/* The dates that decide may come in any of the call's events. */
static void
a_hangup_without_dates_uses_those_of_other_events(void **state)
{
	FOLDED(f, &RECORD_CALL, "{'call_id':1,'state':'hangup','event_timestamp':5000}", RINGING);

	(void)state;
	assert_column(f, CALL_status, "missed");
	assert_column(f, CALL_state, "hangup");
}

static void
a_ringing_call_with_an_end_date_rings_still(void **state)
{
	FOLDED(f, &RECORD_CALL, "{'call_id':1,'state':'ringing','date_rang':1,'date_ended':463}");
	FOLDED(g, &RECORD_CALL,
	    "{'call_id':1,'state':'connected','date_connected':1,'date_ended':463}");

	(void)state;
	assert_column(f, CALL_status, "ringing");
	assert_column(f, CALL_ended_at, "463");
	assert_column(g, CALL_status, "connected");
}

static void
a_finished_call_never_comes_back(void **state)
{
	FOLDED(late, &RECORD_CALL, HANGUP, RINGING);
	FOLDED(later, &RECORD_CALL, HANGUP,
	    "{'call_id':1,'state':'connected','event_timestamp':9000}");
	FOLDED(hold, &RECORD_CALL, "{'call_id':1,'state':'hold','event_timestamp':9000}", HANGUP);

	(void)state;
	assert_column(late, CALL_status, "completed");
	assert_column(late, CALL_state, "hangup");
	assert_column(later, CALL_status, "completed");
	assert_column(hold, CALL_status, "completed");
}

static void
among_live_states_of_one_rank_the_latest_counts(void **state)
{
	FOLDED(f, &RECORD_CALL, "{'call_id':1,'state':'connected','event_timestamp':3000}",
	    "{'call_id':1,'state':'hold','event_timestamp':2000}");
	FOLDED(g, &RECORD_CALL, "{'call_id':1,'state':'connected','event_timestamp':1000}",
	    "{'call_id':1,'state':'hold','event_timestamp':2000}");
	FOLDED(ring, &RECORD_CALL, "{'call_id':1,'state':'connected','event_timestamp':1000}",
	    "{'call_id':1,'state':'ringing','event_timestamp':2000}");

	(void)state;
	assert_column(f, CALL_status, "connected");
	assert_column(g, CALL_status, "on_hold");
	assert_column(ring, CALL_status, "connected");
}

static void
a_qualified_end_outranks_a_hangup(void **state)
{
	FOLDED(
	    missed, &RECORD_CALL, "{'call_id':1,'state':'missed','event_timestamp':1000}", HANGUP);
	FOLDED(voicemail, &RECORD_CALL, HANGUP,
	    "{'call_id':1,'state':'voicemail','event_timestamp':1000}",
	    "{'call_id':1,'state':'missed','event_timestamp':6000}");
	FOLDED(blocked, &RECORD_CALL, "{'call_id':1,'state':'blocked'}", HANGUP);

	(void)state;
	assert_column(missed, CALL_status, "missed");
	assert_column(voicemail, CALL_status, "voicemail");
	assert_column(blocked, CALL_status, "blocked");
}

static void
data_states_leave_the_status_alone(void **state)
{
	static const char *const data[] = { "recording", "admin_recording", "call_transcription",
		"transcription", "recap_summary", "recap_outcome", "recap_purposes",
		"recap_action_items", "csat", "pcsat", "dispositions", "ai_playbook", "postcall",
		"admin", "all", "something new", "" };
	char event[200];

	(void)state;
	for (size_t i = 0; i < sizeof data / sizeof data[0]; i++) {
		(void)snprintf(event, sizeof event,
		    "{'call_id':1,'state':'%s','event_timestamp':9000}", data[i]);
		FOLDED(after, &RECORD_CALL, HANGUP, event);
		FOLDED(before, &RECORD_CALL, event, RINGING);

		assert_column(after, CALL_status, "completed");
		assert_column(after, CALL_state, "hangup");
		assert_column(before, CALL_status, "ringing");
		assert_column(before, CALL_state, "ringing");
	}
}

static void
without_a_state_the_dates_decide(void **state)
{
	FOLDED(none, &RECORD_CALL, "{'call_id':1}");
	FOLDED(queued, &RECORD_CALL, "{'call_id':1,'state':'admin','date_queued':5}");
	FOLDED(rang, &RECORD_CALL, "{'call_id':1,'state':'novel','date_queued':5,'date_rang':6}");
	FOLDED(connected, &RECORD_CALL, "{'call_id':1,'state':null,'date_connected':7}");
	FOLDED(ended, &RECORD_CALL,
	    "{'call_id':1,'state':'recording','date_connected':7,'date_ended':8}");
	FOLDED(
	    missed, &RECORD_CALL, "{'call_id':1,'state':'recording','date_rang':7,'date_ended':8}");

	(void)state;
	assert_column(none, CALL_status, "ringing");
	assert_column(none, CALL_state, "null");
	assert_column(queued, CALL_status, "queued");
	assert_column(rang, CALL_status, "ringing");
	assert_column(rang, CALL_state, "novel");
	assert_column(connected, CALL_status, "connected");
	assert_column(ended, CALL_status, "completed");
	assert_column(missed, CALL_status, "missed");
}

/* ---- which value a column keeps ---- */

static void
a_column_keeps_the_value_of_the_latest_event(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'event_timestamp':2000,'group_id':'new','mos_score':4.41}",
	    "{'call_id':1,'event_timestamp':1000,'group_id':'old','mos_score':1}",
	    "{'call_id':1,'event_timestamp':2000,'group_id':'new','mos_score':4.41}");
	FOLDED(rank, &RECORD_CALL,
	    "{'call_id':1,'state':'hangup','event_timestamp':2000,'group_id':'end'}",
	    "{'call_id':1,'state':'ringing','event_timestamp':2000,'group_id':'start'}");

	(void)state;
	assert_column(f, CALL_group_id, "new");
	assert_column(f, CALL_mos_score, "4.4100000000000001");
	assert_column(rank, CALL_group_id, "end");
}

static void
what_is_absent_null_empty_or_of_a_wrong_type_overwrites_nothing(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'event_timestamp':1000,'direction':'inbound','external_number':'+1','was_"
	    "recorded':true,"
	    "'date_started':900,'target':{'id':7,'name':'A'},'contact':{'email':'a@x'},'mos_score':"
	    "4.5,"
	    "'labels':['x'],'talk_time':5,'transcription_text':'T'}",
	    "{'call_id':1,'event_timestamp':2000,'direction':null,'external_number':'','was_"
	    "recorded':null,"
	    "'date_started':null,'target':{},'contact':{'email':''},'mos_score':null,'labels':[],'"
	    "talk_time':null,"
	    "'transcription_text':null}",
	    "{'call_id':1,'event_timestamp':3000}",
	    "{'call_id':1,'event_timestamp':4000,'direction':{},'external_number':[],'was_recorded'"
	    ":'yes',"
	    "'date_started':'soon','target':[7],'contact':'c','mos_score':'high','labels':'x','"
	    "talk_time':true,"
	    "'transcription_text':5,'master_call_id':1.5}");

	(void)state;
	assert_column(f, CALL_direction, "inbound");
	assert_column(f, CALL_external_number, "+1");
	assert_column(f, CALL_was_recorded, "true");
	assert_column(f, CALL_started_at, "900");
	assert_column(f, CALL_target_id, "7");
	assert_column(f, CALL_target_name, "A");
	assert_column(f, CALL_contact_email, "a@x");
	assert_column(f, CALL_mos_score, "4.5");
	assert_column(f, CALL_labels, "['x']");
	assert_column(f, CALL_talk_time, "5");
	assert_column(f, CALL_transcription, "T");
	assert_column(f, CALL_master_call_id, "null");
}

static void
a_flag_can_go_back(void **state)
{
	FOLDED(f, &RECORD_CALL, "{'call_id':1,'event_timestamp':1000,'was_recorded':true}",
	    "{'call_id':1,'event_timestamp':2000,'was_recorded':false}");

	(void)state;
	assert_column(f, CALL_was_recorded, "false");
}

static void
durations_only_grow_and_are_whole_milliseconds(void **state)
{
	FOLDED(f, &RECORD_CALL,
	    "{'call_id':1,'event_timestamp':1000,'talk_time':32418,'total_duration':8951.03,'hold_"
	    "time':0}",
	    "{'call_id':1,'event_timestamp':9000,'talk_time':100,'total_duration':8951.6,'hold_"
	    "time':-5}",
	    "{'call_id':1,'event_timestamp':9500,'talk_time':'200','total_duration':1e300,'hold_"
	    "time':'x'}");

	(void)state;
	assert_column(f, CALL_talk_time, "32418");
	assert_column(f, CALL_total_duration, "8952");
	assert_column(f, CALL_hold_time, "0");
}

/* ---- columns that follow from others ---- */

static void
the_duration_is_the_talk_time_else_from_answer_to_end(void **state)
{
	FOLDED(talk, &RECORD_CALL,
	    "{'call_id':1,'talk_time':5000,'date_connected':1000,'date_ended':9000,'duration':7}");
	FOLDED(dates, &RECORD_CALL,
	    "{'call_id':1,'date_connected':1000,'date_ended':9000,'duration':7}");
	FOLDED(odd, &RECORD_CALL, "{'call_id':1,'date_connected':9000,'date_ended':1000}");
	FOLDED(open, &RECORD_CALL, "{'call_id':1,'date_connected':9000,'duration':7}");

	(void)state;
	assert_column(talk, CALL_duration, "5000");
	assert_column(dates, CALL_duration, "8000");
	assert_column(odd, CALL_duration, "null");
	assert_column(open, CALL_duration, "null");
}

static void
from_and_to_follow_the_direction(void **state)
{
#define NUMBERS "'external_number':'+1','internal_number':'+2'"
	FOLDED(in, &RECORD_CALL, "{'call_id':1,'direction':'inbound'," NUMBERS "}");
	FOLDED(out, &RECORD_CALL, "{'call_id':1,'direction':'outbound'," NUMBERS "}");
	FOLDED(odd, &RECORD_CALL, "{'call_id':1,'direction':'sideways'," NUMBERS "}");
	FOLDED(split, &RECORD_CALL, "{'call_id':1,'direction':'outbound'}",
	    "{'call_id':1,'external_number':'blocked'}");

	(void)state;
	assert_column(in, CALL_from, "+1");
	assert_column(in, CALL_to, "+2");
	assert_column(out, CALL_from, "+2");
	assert_column(out, CALL_to, "+1");
	assert_column(odd, CALL_from, "null");
	assert_column(odd, CALL_to, "null");
	assert_column(split, CALL_from, "null");
	assert_column(split, CALL_to, "blocked");
}

static void
a_call_is_sorted_by_its_start_else_its_first_date_else_its_first_event(void **state)
{
	FOLDED(start, &RECORD_CALL,
	    "{'call_id':1,'event_timestamp':5000,'date_started':3000,'date_rang':2000}");
	FOLDED(date, &RECORD_CALL, "{'call_id':1,'event_timestamp':1000,'date_rang':4000}",
	    "{'call_id':1,'event_timestamp':5000,'date_ended':6000,'date_unheard_of':3500}");
	FOLDED(event, &RECORD_CALL, "{'call_id':1,'event_timestamp':5000}",
	    "{'call_id':1,'event_timestamp':4000}");
	FOLDED(nothing, &RECORD_CALL, "{'call_id':1}");

	(void)state;
	assert_column(start, CALL_sort_at, "3000");
	assert_column(date, CALL_sort_at, "3500");
	assert_column(event, CALL_sort_at, "4000");
	assert_column(nothing, CALL_sort_at, "0");
}

static void
a_record_is_as_old_as_its_first_receipt_and_as_new_as_its_last(void **state)
{
	AUTO_RELEASE(folder_release)
	struct folder f = folded(&RECORD_CALL, (const char *const[]){ NULL });

	(void)state;
	folder_add(&f, HANGUP, 7000);
	folder_add(&f, RINGING, 6000);
	folder_add(&f, RINGING, 8000);
	assert_column(f, CALL_created_at, "6000");
	assert_column(f, CALL_updated_at, "8000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_its_status),
		cmocka_unit_test(a_hangup_is_completed_missed_or_abandoned_by_its_dates),
		cmocka_unit_test(a_hangup_without_dates_uses_those_of_other_events),
		cmocka_unit_test(a_ringing_call_with_an_end_date_rings_still),
		cmocka_unit_test(a_finished_call_never_comes_back),
		cmocka_unit_test(among_live_states_of_one_rank_the_latest_counts),
		cmocka_unit_test(a_qualified_end_outranks_a_hangup),
		cmocka_unit_test(data_states_leave_the_status_alone),
		cmocka_unit_test(without_a_state_the_dates_decide),
		cmocka_unit_test(a_column_keeps_the_value_of_the_latest_event),
		cmocka_unit_test(what_is_absent_null_empty_or_of_a_wrong_type_overwrites_nothing),
		cmocka_unit_test(a_flag_can_go_back),
		cmocka_unit_test(durations_only_grow_and_are_whole_milliseconds),
		cmocka_unit_test(the_duration_is_the_talk_time_else_from_answer_to_end),
		cmocka_unit_test(from_and_to_follow_the_direction),
		cmocka_unit_test(
		    a_call_is_sorted_by_its_start_else_its_first_date_else_its_first_event),
		cmocka_unit_test(a_record_is_as_old_as_its_first_receipt_and_as_new_as_its_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

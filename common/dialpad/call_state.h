/*
 * call_state - what each of Dialpad's call states means for a record, and the one of our own.
 *
 * Use:      call_state_find() with the `state` of an event; never NULL.
 * Owns:     nothing; rows are static.
 * Threads:  safe.
 * Errors:   none: a state that is not in the table gets a row of rank 0.
 *
 * Events come late, twice and out of order, so a call's status follows the rank of the states seen,
 * then their time: an end beats everything live, a qualified end beats a bare hangup. States of
 * rank 0 bring data and leave the status alone; but where such an event's body carries the end of the
 * call, the call is over, by its dates, as long as no end of Dialpad's says more
 * (CALL_RANK_END_KNOWN): a late "ringing" must not revive a call whose recap has come.
 *
 * CALL_STATE_SWEPT is what workerd's sweeper says of a call whose end never came. It beats everything
 * live, and any end from Dialpad beats it. Only an event with the source `sweeper` may bring it.
 */
#ifndef CTI_CALL_STATE_H
#define CTI_CALL_STATE_H

#include "common/base/str.h"

enum call_status {
	CALL_BY_DATES, /* not said by the state: follows from the dates known */
	CALL_QUEUED,
	CALL_RINGING,
	CALL_CONNECTED,
	CALL_ON_HOLD,
	CALL_PARKED,
	CALL_ENDED, /* completed, missed or abandoned, by the dates */
	CALL_MISSED,
	CALL_ABANDONED,
	CALL_VOICEMAIL,
	CALL_BLOCKED,
};

#define CALL_STATE_SWEPT "no_final_event"

/* Above the sweeper's guess, below every end that Dialpad sends. CALL_RANK_REPAIRED is the end of a call
 * in Dialpad's list, which was asked for because its events were missed. */
enum { CALL_RANK_END_KNOWN = 45, CALL_RANK_REPAIRED = 46 };

/* What is said of a call whose end is known from there alone. */
#define CALL_REASON_REPAIRED "repaired"

struct call_state {
	const char *name;
	uint8_t rank;
	enum call_status status;
	bool proves_voicemail; /* a message was left and stored */
};

/* clang-format off */
/*     name                   rank  status          proves a voicemail */
#define CALL_STATES(X)                                        \
	X("calling",            10, CALL_RINGING,   false)    \
	X("preanswer",          20, CALL_RINGING,   false)    \
	X("ringing",            20, CALL_RINGING,   false)    \
	X("queued",             20, CALL_QUEUED,    false)    \
	X("connected",          30, CALL_CONNECTED, false)    \
	X("hold",               30, CALL_ON_HOLD,   false)    \
	X("on_hold",            30, CALL_ON_HOLD,   false)    \
	X("parked",             30, CALL_PARKED,    false)    \
	X("merged",             30, CALL_CONNECTED, false)    \
	X("monitor",            30, CALL_CONNECTED, false)    \
	X("barge",              30, CALL_CONNECTED, false)    \
	X("takeover",           30, CALL_CONNECTED, false)    \
	X("eavesdrop",          30, CALL_CONNECTED, false)    \
	X("transfer_initiated", 30, CALL_CONNECTED, false)    \
	X(CALL_STATE_SWEPT,     40, CALL_ABANDONED, false)    \
	X("hangup",             50, CALL_ENDED,     false)    \
	X("missed",             51, CALL_MISSED,    false)    \
	X("abandoned",          51, CALL_ABANDONED, false)    \
	X("voicemail",          52, CALL_VOICEMAIL, false)    \
	X("voicemail_uploaded", 52, CALL_VOICEMAIL, true)     \
	X("voicemail.created",  52, CALL_VOICEMAIL, true)     \
	X("blocked",            53, CALL_BLOCKED,   false)    \
	X("admin",               0, CALL_BY_DATES,  false)    \
	X("admin_recording",     0, CALL_BY_DATES,  false)    \
	X("ai_playbook",         0, CALL_BY_DATES,  false)    \
	X("all",                 0, CALL_BY_DATES,  false)    \
	X("call_transcription",  0, CALL_BY_DATES,  false)    \
	X("csat",                0, CALL_BY_DATES,  false)    \
	X("dispositions",        0, CALL_BY_DATES,  false)    \
	X("pcsat",               0, CALL_BY_DATES,  false)    \
	X("postcall",            0, CALL_BY_DATES,  false)    \
	X("recap_action_items",  0, CALL_BY_DATES,  false)    \
	X("recap_outcome",       0, CALL_BY_DATES,  false)    \
	X("recap_purposes",      0, CALL_BY_DATES,  false)    \
	X("recap_summary",       0, CALL_BY_DATES,  false)    \
	X("recording",           0, CALL_BY_DATES,  false)    \
	X("transcription",       0, CALL_BY_DATES,  false)
/* clang-format on */

const struct call_state *call_state_find(struct str name);

#endif

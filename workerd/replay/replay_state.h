/*
 * replay_state - a replay between two runs: what was asked for, how far it is, what it has found.
 *
 * Use:      replay_state_read() at the beginning of a run; replay_state_write() for the next one,
 *           replay_state_report() for people.
 * Owns:     its array, until replay_state_release; texts live in the arena.
 * Threads:  one.
 * Errors:   INVALID: the parameters are not those that apid writes.
 */
#ifndef CTI_REPLAY_STATE_H
#define CTI_REPLAY_STATE_H

#include "common/json/json_in.h"
#include "common/json/json_out.h"
#include "workerd/jobs/request.h"
#include "workerd/rebuild/rebuild_report.h"
#include "workerd/replay/replay_db.h"

struct replay_state {
	bool dry_run;
	struct replay_choice choice;
	struct db_array ids; /* of the choice */
	const struct json *asked_ids;
	/* Dead and waiting events are put into the queue first. */
	bool queued;
	int64_t requeued, hastened; /* so many */
	/* Then the records are folded again: those beyond this id; STR_NONE when all were. */
	struct str after;
	struct rebuild_report report;
};

CTI_MUST_CHECK enum err_code replay_state_read(
    const struct request *q, struct arena *a, struct replay_state *out, struct err *e);
void replay_state_release(struct replay_state *s);

void replay_state_write(const struct replay_state *s, struct buf *out);
void replay_state_report(const struct replay_state *s, struct buf *out);

#endif

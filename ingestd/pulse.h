/*
 * pulse - a word to the database every 5 s: this ingestd is there and can store events.
 *
 * Use:      pulse_note_unstored() for a genuine event that was refused, pulse_note_forged() for a wrong
 *           signature; both are told with the next pulse. What follows from it is workerd's affair:
 *           times without any pulse are outages, after which missed calls are asked for.
 * Owns:     its thread and a connection.
 * Threads:  notes are safe; start and stop from one thread.
 * Errors:   none: a pulse that fails is told later. The writer reports a database that is down.
 * Not for:  deciding anything in ingestd.
 */
#ifndef CTI_PULSE_H
#define CTI_PULSE_H

#include "common/db/db.h"
#include "common/dialpad/hook.h"

struct pulse;

CTI_MUST_CHECK enum err_code pulse_start(
    const struct db_opts *db, struct pulse **out, struct err *e);
void pulse_stop(struct pulse *p); /* NULL is allowed */

void pulse_note_unstored(struct pulse *p);
void pulse_note_forged(struct pulse *p, const struct hook *hook); /* NULL: the bare route */

#endif

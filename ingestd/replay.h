/*
 * replay - spooled events into the database, oldest file first, while new events keep flowing.
 *
 * Use:      replay_start() when there is a spool, replay_stop() before spool_close().
 * Owns:     a thread and its connection.
 * Threads:  start and stop from one thread.
 * Errors:   logged on a change; a file stays until its events are committed.
 */
#ifndef CTI_REPLAY_H
#define CTI_REPLAY_H

#include "common/db/db.h"
#include "ingestd/spool.h"

struct replay;

CTI_MUST_CHECK enum err_code replay_start(
    struct spool *s, const struct db_opts *db, struct replay **out, struct err *e);
void replay_stop(struct replay *r); /* NULL is allowed */

#endif

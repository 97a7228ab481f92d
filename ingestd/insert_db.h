/*
 * insert_db - a group of events into log and queue: one statement, one commit.
 *
 * Use:      insert_group() with a connection of the caller's.
 * Owns:     nothing.
 * Threads:  one connection, one thread.
 * Errors:   the group is not known to be stored. It may be stored all the same (a lost answer):
 *           storing an event twice does no harm.
 *
 * What PostgreSQL refuses in one event never sinks its group: the others are stored, and the one is
 * kept as bytes. A missing partition is made.
 */
#ifndef CTI_INSERT_DB_H
#define CTI_INSERT_DB_H

#include "common/db/db.h"
#include "ingestd/event.h"

CTI_MUST_CHECK enum err_code insert_group(
    struct db_conn *c, const struct event *const *events, int n, struct err *e);

#endif

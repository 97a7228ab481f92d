/*
 * db_listen - one direct connection that LISTENs on some channels and calls back: "look there".
 *
 * Use:      db_listen_start() with channels; on_hint runs on the listener's own thread.
 * Owns:     its thread and connection, until db_listen_stop (which joins).
 * Threads:  on_hint must be quick and thread-safe.
 * Errors:   none to the caller: it reconnects for ever (1 s to 5 s, jitter), logging each change of
 *           state once. A notification is only a hint; after every (re)connect each on_hint is
 *           called, because notifications sent meanwhile are lost. The caller's own poll is the
 *           guarantee.
 * Not for:  a connection through a transaction pooler.
 */
#ifndef CTI_DB_LISTEN_H
#define CTI_DB_LISTEN_H

#include "common/db/db.h"

struct db_listen;

enum { DB_LISTEN_CHANNELS = 4 };

struct db_listen_channel {
	const char *name; /* static, a plain identifier */
	void (*on_hint)(void *arg);
	void *arg;
};

struct db_listen_opts {
	struct db_opts db;
	struct db_listen_channel channels[DB_LISTEN_CHANNELS]; /* up to the first without a name */
};

CTI_MUST_CHECK enum err_code db_listen_start(
    const struct db_listen_opts *o, struct db_listen **out, struct err *e);
bool db_listen_connected(struct db_listen *l);
void db_listen_stop(struct db_listen *l); /* NULL is allowed */

#endif

/*
 * writer - group commit: requests hand their event over and wait, writers store what is waiting.
 *
 * Use:      writer_store() from any request thread.
 * Owns:     its threads and connections, one each.
 * Threads:  writer_store is safe; start and stop from one thread.
 * Errors:   UNAVAILABLE: the event is not known to be stored, in the database or in the spool. It
 *           comes within the deadline, at once when too many wait.
 *
 * At low load a group is one event and costs one commit; at high load it is whatever came during the
 * last commit. A writer past its deadline closes its connection and never cancels the statement:
 * with synchronous replication a cancelled COMMIT looks like a success.
 */
#ifndef CTI_WRITER_H
#define CTI_WRITER_H

#include "ingestd/insert_db.h"
#include "ingestd/spool.h"

struct writer;

struct writer_opts {
	struct db_opts db;
	int threads;
	int group;           /* most events in one commit */
	int max_waiting;     /* most events waiting for a writer */
	int64_t spool_ms;    /* how long the database may take when there is a spool */
	struct spool *spool; /* or NULL; borrowed */
};

CTI_MUST_CHECK enum err_code writer_start(
    const struct writer_opts *o, struct writer **out, struct err *e);
/* When no request waits any more. NULL is allowed. */
void writer_stop(struct writer *w);

/* By until_ms (monotonic) it is known whether `ev` is stored. `ev` is borrowed until the call returns. */
CTI_MUST_CHECK enum err_code writer_store(
    struct writer *w, const struct event *ev, int64_t until_ms, struct err *e);

#endif

/*
 * ingestd - the daemon: verify a webhook, store it, answer. Nothing else.
 *
 * Use:      ingestd_start, ingestd_unready, ingestd_stop from main by daemon_run().
 * Owns:     everything it starts.
 * Threads:  HTTP_THREADS for requests, INGEST_WRITERS writers, a replayer when there is a spool, a
 *           pulse, an ops server.
 * Errors:   start: what could not be started. A database that is down is no reason not to start,
 *           and never makes the daemon unready: Dialpad would meet refused connections.
 */
#ifndef CTI_INGESTD_H
#define CTI_INGESTD_H

#include "common/conf/conf.h"
#include "common/db/db_ready.h"
#include "common/http/http_ops.h"
#include "ingestd/pulse.h"
#include "ingestd/replay.h"
#include "ingestd/secrets.h"
#include "ingestd/writer.h"

struct ingestd {
	struct http_ops *ops; /* first: the health routes on the daemon's own port look here */
	struct http_server *server;
	struct buf conninfo;
	struct db_ready *ready; /* for the body of /readyz only */
	struct secrets secrets;
	struct spool *spool; /* NULL without INGEST_SPOOL_DIR */
	struct replay *replay;
	struct writer *writer;
	struct pulse *pulse;
	bool log_events;
	_Atomic bool serving; /* false while another process holds the spool */
};

CTI_MUST_CHECK enum err_code ingestd_start(void *self, const struct conf *c, struct err *e);
void ingestd_unready(void *self);
void ingestd_stop(void *self, int64_t timeout_ms);

#endif

/*
 * ready - can apid serve? The database answers, and its schema is one that this build knows.
 *
 * Use:      ready_start(), then ready_report() for each probe, ready_stop().
 * Owns:     a connection of its own, so that a busy pool does not look like an outage.
 * Threads:  ready_report is safe; probes that come together share one answer.
 * Errors:   none: "no" is an answer. Changes of it are logged once.
 * Not for:  deciding whether a request is served.
 */
#ifndef CTI_APID_READY_H
#define CTI_APID_READY_H

#include "common/db/db.h"
#include "common/json/json_out.h"

#include <pthread.h>

struct ready {
	struct db_pool *pool; /* of one connection */
	pthread_mutex_t mu;   /* guards what follows */
	int64_t checked_at;   /* monotonic ms; 0: never */
	bool reachable;
	bool was_ready;
	int64_t schema_version; /* when reachable; 0: none */
};

/* `o` is copied, but what it points to is borrowed until ready_stop. */
CTI_MUST_CHECK enum err_code ready_start(struct ready *r, const struct db_opts *o, struct err *e);
bool ready_report(struct ready *r, struct json_out *j); /* adds members to an open object */
void ready_stop(struct ready *r);

#endif

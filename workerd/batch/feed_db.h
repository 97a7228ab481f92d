/*
 * feed_db - the change feed: what clients are told, in the order of commits, without gaps.
 *
 * Use:      collect items while a batch is written, then feed_append() once, in its transaction.
 * Owns:     nothing; items lend their JSON.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 */
#ifndef CTI_FEED_DB_H
#define CTI_FEED_DB_H

#include "common/db/db.h"

struct feed_item {
	const char *type; /* "call.started"; static */
	struct uuid object_id;
	struct str data; /* the REST object */
};

/* Numbers the items from the tenant's last_seq on, which tenant_served() then raises by n. */
CTI_MUST_CHECK enum err_code feed_append(
    struct db_conn *c, struct uuid app_id, const struct feed_item *items, int n, struct err *e);

#endif

/*
 * db_ready - can this daemon work with the database now? For /readyz.
 *
 * Use:      one per daemon; db_ready_check() as often as probes come, the answer is kept for 1 s.
 * Owns:     a connection of its own, so that a busy pool does not make a daemon unready.
 * Threads:  safe.
 * Errors:   none: the reason is text for a person, without secrets.
 * Not for:  deciding ingestd's readiness: it is ready without a database and only reports.
 */
#ifndef CTI_DB_READY_H
#define CTI_DB_READY_H

#include "common/db/db.h"
#include "common/json/json_out.h"

struct db_ready;

/* The schema versions this build works with: a release reads its own and the next one's. */
enum { DB_SCHEMA_MIN = 1, DB_SCHEMA_MAX = 2 };

struct db_ready_opts {
	struct db_opts db;   /* strings are borrowed */
	int64_t deadline_ms; /* of one check */
	/* In production a login that sees every tenant's rows is a fault: superuser, the tables' owner, or,
	 * unless may_bypass, one with BYPASSRLS. */
	bool production;
	bool may_bypass;
};

struct db_ready *db_ready_new(const struct db_ready_opts *o);
void db_ready_free(struct db_ready *r); /* NULL is allowed */

/* Adds `database` and `schema_version` to the open object; true when both are right. */
bool db_ready_check(struct db_ready *r, struct json_out *j);

#endif

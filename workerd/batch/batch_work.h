/*
 * batch_work - what the steps of one batch share. Private to workerd/batch.
 *
 * Use:      filled by batch.c, handed to batch_tenant() or batch_unclaimed().
 * Owns:     nothing.
 * Threads:  one.
 * Errors:   none.
 */
#ifndef CTI_BATCH_WORK_H
#define CTI_BATCH_WORK_H

#include "common/base/arena.h"
#include "workerd/batch/batch.h"
#include "workerd/batch/queue_db.h"

struct batch {
	struct db_conn *conn;
	const struct batch_opts *opts;
	const struct tenant *tenant;
	bool alone; /* one event, its attempt counted already */
	struct batch_report *report;
	struct arena *arena; /* until the batch ends */
	const struct queue_event *events;
	int nevents;
};

#endif

/*
 * rebuild_report - what a rebuild found: counts per kind of record, and some records by id.
 *
 * Use:      rebuild_report_add() for each record looked at, rebuild_report_print() at the end.
 * Owns:     nothing; a plain value, so a batch can work on a copy and be forgotten.
 * Threads:  one.
 * Errors:   none.
 * Not for:  values of records, which are personal: columns are named, no more.
 */
#ifndef CTI_REBUILD_REPORT_H
#define CTI_REBUILD_REPORT_H

#include "common/records/record.h"

#include <stdio.h>

enum { REBUILD_EXAMPLES = 20, REBUILD_COLUMNS_BYTES = 200 };

enum rebuild_kind { REBUILD_CALLS, REBUILD_MESSAGES, REBUILD_VOICEMAILS, REBUILD_KINDS };

struct rebuild_finding {
	enum rebuild_kind kind;
	int64_t dialpad_id;
	bool missing;                        /* there was no row */
	bool different;                      /* there was one, and its events make another */
	bool merged;                         /* the log no longer reaches its first event */
	char columns[REBUILD_COLUMNS_BYTES]; /* that differ, as far as they fit */
};

struct rebuild_counts {
	int64_t ids, same, different, missing;
	int64_t merged; /* of all these */
};

struct rebuild_report {
	struct rebuild_counts counts[REBUILD_KINDS];
	struct rebuild_finding examples[REBUILD_EXAMPLES]; /* of those that are not the same */
	int nexamples;
	int64_t changes; /* rows of the feed */
};

void rebuild_report_add(struct rebuild_report *r, const struct rebuild_finding *f);
void rebuild_report_print(const struct rebuild_report *r, bool dry_run, FILE *to);

#endif

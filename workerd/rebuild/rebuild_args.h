/*
 * rebuild_args - the command line of `workerd --rebuild`.
 *
 * Use:      rebuild_args_parse() on the arguments behind --rebuild; REBUILD_HELP for --help.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   INVALID: what is wrong with them, for a person.
 */
#ifndef CTI_REBUILD_ARGS_H
#define CTI_REBUILD_ARGS_H

#include "common/base/err.h"
#include "common/base/uuid.h"
#include "common/db/db.h"

#define REBUILD_HELP                                                                             \
	"  --rebuild --app ID [--from TIME] [--to TIME] [--dry-run]\n"                           \
	"                       fold an app's stored events again and repair the records that\n" \
	"                       differ, while workerd goes on serving; --from and --to (RFC\n"   \
	"                       3339) choose those with an event received in that range;\n"      \
	"                       --dry-run only reports\n"

struct rebuild_opts {
	struct uuid app_id;
	int64_t from, to; /* ms; from <= received_at < to */
	bool dry_run;
	/* Of a replay: only events of this kind, DIALPAD_KIND_SQL; STR_NONE: of any. */
	struct str kind;
	/* Likewise: only the records of these events, whatever the range; NULL: of all. Borrowed. */
	const struct db_array *events;
	int64_t records_from; /* ms; of the configuration: what is older is not kept; 0: all */
	int64_t bytes;        /* of the configuration: most bytes of payloads at a time */
};

CTI_MUST_CHECK enum err_code rebuild_args_parse(
    int argc, char **argv, struct rebuild_opts *out, struct err *e);

#endif

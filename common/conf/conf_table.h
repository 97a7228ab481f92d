/*
 * conf_table - conf.def as rows that code can walk.
 *
 * Use:      for i < conf_nrows.
 * Owns:     nothing: constants.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  anything outside common/conf.
 */
#ifndef CTI_CONF_TABLE_H
#define CTI_CONF_TABLE_H

#include "common/conf/conf.h"

enum conf_type { CONF_TYPE_STR, CONF_TYPE_INT, CONF_TYPE_BOOL };

enum { CONF_MAX_CHOICES = 4 };

struct conf_row {
	enum conf_type type;
	size_t offset; /* of the member in struct conf */
	const char *env, *dflt;
	int64_t min, max; /* of an integer */
	unsigned flags;   /* enum conf_flag */
	unsigned daemons; /* enum conf_daemon */
	const char *doc;
};

extern const struct conf_row conf_rows[];
extern const size_t conf_nrows;

/* The only values a text may have, up to a NULL; NULL when every text is allowed. */
const char *const *conf_choices(const struct conf_row *r);

/* Least length of a secret, in bytes; 0 when any will do. */
size_t conf_min_bytes(const struct conf_row *r);

#endif

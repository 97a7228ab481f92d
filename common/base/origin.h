/*
 * origin - web origins ("https://app.example:8443") and lists of them.
 *
 * Use:      origin_is_valid() when somebody configures one; origin_is_listed() for the Origin header
 *           of a request.
 * Owns:     nothing.
 * Threads:  pure.
 * Errors:   none.
 * Not for:  URLs with a path.
 */
#ifndef CTI_ORIGIN_H
#define CTI_ORIGIN_H

#include "common/base/str.h"

enum { ORIGIN_MAX_CHARS = 300 };

/* As browsers send them: scheme, "://", host, perhaps a port; in lower case, nothing behind. */
bool origin_is_valid(struct str s);

/* Is it one of a list that is separated by commas or blanks? */
bool origin_is_listed(struct str list, struct str origin);

/* The next item of such a list, and what follows it; empty at its end. */
struct str origin_next(struct str *list);

#endif

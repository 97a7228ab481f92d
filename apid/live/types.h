/*
 * types - the kinds of change that a client can ask for, as a set.
 *
 * Use:      live_type_of() for a row of the feed; live_types_add() for each name that a client gave.
 * Owns:     nothing.
 * Threads:  pure.
 * Errors:   INVALID, naming the type that there is not.
 * Not for:  ready, resync and error, which come unasked.
 */
#ifndef CTI_APID_LIVE_TYPES_H
#define CTI_APID_LIVE_TYPES_H

#include "common/base/err.h"
#include "common/base/str.h"

/* A bit for each type. One that a newer workerd writes and we do not know is in "all" alone. */
#define LIVE_TYPES_ALL UINT32_MAX

uint32_t live_type_of(struct str name);

CTI_MUST_CHECK enum err_code live_types_add(uint32_t *types, struct str name, struct err *e);

/* "call.started,call.ended"; STR_NONE is all. */
CTI_MUST_CHECK enum err_code live_types_parse(struct str list, uint32_t *out, struct err *e);

#endif

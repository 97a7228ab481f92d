/*
 * spool_file - the bytes of a spooled group: events to a buffer and back.
 *
 * Use:      spool_encode() before writing, spool_decode() after reading.
 * Owns:     decoded events lend their text from the bytes given.
 * Threads:  safe.
 * Errors:   INVALID: the bytes are not what spool_encode wrote, all of it; nothing is read then.
 *
 * Magic, number of events, events (fixed part, then type, id and claims with their lengths), and a
 * BLAKE2b-256 of all that. Integers are little-endian.
 */
#ifndef CTI_SPOOL_FILE_H
#define CTI_SPOOL_FILE_H

#include "common/base/buf.h"
#include "ingestd/event.h"

void spool_encode(const struct event *const *events, int n, struct buf *out);

CTI_MUST_CHECK enum err_code spool_decode(
    struct str bytes, struct arena *a, const struct event *const **events, int *n, struct err *e);

#endif

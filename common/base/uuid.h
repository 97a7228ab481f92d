/*
 * uuid - 128-bit identifiers: parse, print, make by time (v7) or by name (v5).
 *
 * Use:      by value.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   a text that is not 8-4-4-4-12 hex digits: false.
 * Not for:  secrets: version 7 tells its time, version 5 is a hash of public data.
 * Source:   RFC 9562.
 */
#ifndef CTI_UUID_H
#define CTI_UUID_H

#include "common/base/str.h"

enum { UUID_TEXT_BYTES = 37 }; /* with the NUL */

struct uuid {
	uint8_t b[16];
};

#define UUID_NIL ((struct uuid){ { 0 } })

bool uuid_parse(struct str s, struct uuid *out);                   /* either case */
const char *uuid_format(struct uuid u, char out[UUID_TEXT_BYTES]); /* lower case; returns `out` */
bool uuid_eq(struct uuid a, struct uuid b);
int uuid_cmp(struct uuid a, struct uuid b);

/* Sorted by time; ids made by one process within a millisecond keep their order. */
struct uuid uuid_v7(void);

/* The same namespace and name always give the same id (SHA-1). */
struct uuid uuid_v5(struct uuid space, struct str name);

#endif

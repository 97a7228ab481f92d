/*
 * clock - wall time for records, monotonic time for deadlines, RFC 3339 for people.
 *
 * Use:      instants are int64_t milliseconds since 1970 UTC; deadlines are monotonic ms.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   a text that is no instant: false.
 * Not for:  ordering events (their own time does that, never our clock).
 */
#ifndef CTI_CLOCK_H
#define CTI_CLOCK_H

#include "common/base/str.h"

/* "2026-02-04T22:11:49.824Z" and a NUL. */
enum { CLOCK_RFC3339_BYTES = 25 };

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);
void clock_sleep_ms(int64_t ms);

/* Years 0001 to 9999; anything outside is clamped to that range. Returns `out`. */
const char *clock_format_rfc3339(int64_t ms, char out[CLOCK_RFC3339_BYTES]);

/* Date, 'T', time, optional fraction, 'Z' or ±hh:mm; a real calendar date. */
bool clock_parse_rfc3339(struct str s, int64_t *ms);

#endif

/*
 * utf8 - is this a well-formed UTF-8 sequence?
 *
 * Use:      utf8_sequence() at a byte of 0x80 or more.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   0 where the bytes are no sequence.
 * Source:   RFC 3629 (no overlong forms, no surrogates, at most U+10FFFF).
 */
#ifndef CTI_UTF8_H
#define CTI_UTF8_H

#include <stddef.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Length of the sequence at p (2 to 4), 0 when it is malformed or cut off. */
size_t utf8_sequence(const char *p, size_t n);

#endif

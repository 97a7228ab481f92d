/*
 * utf8 - is what stands here a well-formed UTF-8 sequence?
 *
 * Use:      walk a text by utf8_length(), which is 0 where a byte must be replaced.
 * Owns:     nothing.
 * Threads:  no shared state.
 * Errors:   none.
 * Not for:  what characters mean (case, width, normal forms).
 * Source:   RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef CTI_UTF8_H
#define CTI_UTF8_H

#include "common/base/str.h"

#define UTF8_REPLACEMENT STR("\xef\xbf\xbd") /* U+FFFD */

/* Bytes of the first character of `s`: 1 to 4, or 0 when it is cut or malformed (or s is empty). */
size_t utf8_length(struct str s);

#endif

/*
 * str - a borrowed view of bytes: pointer and length, not NUL-terminated.
 *
 * Use:      by value. STR("literal"), str_of(cstring). An absent string is STR_NONE (p == NULL).
 * Owns:     nothing; valid as long as what it points into.
 * Threads:  no shared state.
 * Errors:   parsers return false and leave their output alone.
 * Not for:  building text (see buf.h).
 */
#ifndef CTI_STR_H
#define CTI_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p == NULL ? "" : (s).p

static inline struct str
str_of(const char *c) /* NULL gives STR_NONE */
{
	return (struct str){ c, c == NULL ? 0 : strlen(c) };
}

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII */
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
int str_cmp(struct str a, struct str b); /* bytewise, like memcmp; a prefix is less */
struct str str_trim(struct str s);       /* without outer space, tab, CR, LF */

/* The part before the first `sep`; *rest gets what follows it (STR_NONE when there was none). */
struct str str_cut(struct str s, char sep, struct str *rest);

/* Strict decimal: optional '-', digits, nothing else, within [min, max]. */
bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *out);

#endif

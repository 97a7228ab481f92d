/*
 * buf - a growable byte buffer with a stated maximum and a sticky failure.
 *
 * Use:      buf_init(&b, max), add, check b.failed once at the end, buf_release.
 *           `AUTO_RELEASE(buf_release) struct buf b = BUF(max);` frees itself.
 * Owns:     its bytes; buf_str() lends them until the next add, clear or release.
 * Threads:  one thread at a time.
 * Errors:   an add beyond `max` is dropped whole and sets `failed`; out of memory aborts.
 * Not for:  secrets, unless buf_wipe() is called before release.
 */
#ifndef CTI_BUF_H
#define CTI_BUF_H

#include "common/base/err.h"
#include "common/base/own.h"
#include "common/base/str.h"

struct buf {
	char *p;
	size_t n, cap, max;
	bool failed;
};

#define BUF(max_bytes) ((struct buf){ NULL, 0, 0, (max_bytes), false })

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* empty again, memory and maximum kept, failure forgotten */
void buf_wipe(struct buf *b);  /* clear, overwriting the bytes */

void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *cstring);
void buf_add_char(struct buf *b, char c);
void buf_add_fmt(struct buf *b, const char *fmt, ...) CTI_PRINTF(2, 3);
void buf_add_i64(struct buf *b, int64_t v);

/* Room for n more bytes, counted as added; the caller fills them. NULL (and failed) beyond max. */
char *buf_grow(struct buf *b, size_t n);

struct str buf_str(const struct buf *b);
const char *buf_c(struct buf *b); /* with a NUL behind the content; "" when empty */

#endif

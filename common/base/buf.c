#include "common/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
buf_init(struct buf *b, size_t max)
{
	*b = BUF(max);
}

void
buf_release(struct buf *b)
{
	free(b->p);
	*b = BUF(b->max);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_clear(b);
}

/* Make room for n more bytes and a NUL. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t need, cap = b->cap == 0 ? 256 : b->cap;
	char *p;

	if (b->failed || n > b->max || b->n > b->max - n) {
		b->failed = true;
		return false;
	}
	need = b->n + n + 1;
	if (need <= b->cap)
		return true;
	while (cap < need)
		cap *= 2;
	p = realloc(b->p, cap);
	if (p == NULL)
		abort();
	b->p = p;
	b->cap = cap;
	return true;
}

char *
buf_grow(struct buf *b, size_t n)
{
	char *at;

	if (!reserve(b, n))
		return NULL;
	at = b->p + b->n;
	b->n += n;
	return at;
}

/* Most of what an answer is made of is short and fits: worth a way without calls. */
static inline bool
fits(const struct buf *b, size_t n)
{
	return n < b->cap - b->n && n <= b->max - b->n && !b->failed;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *at = fits(b, n) ? b->p + b->n : NULL;

	if (at != NULL)
		b->n += n;
	else
		at = buf_grow(b, n);
	if (at != NULL && n > 0)
		memcpy(at, p, n);
}

void
buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void
buf_add_c(struct buf *b, const char *cstring)
{
	buf_add(b, cstring, strlen(cstring));
}

void
buf_add_char(struct buf *b, char c)
{
	if (fits(b, 1))
		b->p[b->n++] = c;
	else
		buf_add(b, &c, 1);
}

void
buf_add_i64(struct buf *b, int64_t v)
{
	char digits[20]; /* with the sign of the least one */
	size_t at = sizeof digits;
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (v < 0)
		digits[--at] = '-';
	buf_add(b, digits + at, sizeof digits - at);
}

/* What does not fit at once is printed a second time. */
void
buf_add_fmt(struct buf *b, const char *fmt, ...)
{
	size_t room = b->failed ? 0 : b->cap - b->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room == 0 ? NULL : b->p + b->n, room, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n)) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p == NULL ? "" : b->p, b->n };
}

const char *
buf_c(struct buf *b)
{
	if (b->p == NULL)
		return "";
	b->p[b->n] = '\0';
	return b->p;
}

#include "common/base/arena.h"

#include <stdlib.h>

enum { BLOCK_BYTES = 16 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	_Alignas(max_align_t) char mem[];
};

void
arena_init(struct arena *a)
{
	a->head = NULL;
}

void
arena_release(struct arena *a)
{
	struct arena_block *b = a->head, *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->head = NULL;
}

void
arena_wipe(struct arena *a)
{
	for (struct arena_block *b = a->head; b != NULL; b = b->next)
		explicit_bzero(b->mem, b->used);
	arena_release(a);
}

void
arena_reset(struct arena *a)
{
	struct arena_block *keep = a->head;

	if (keep == NULL)
		return;
	a->head = keep->next;
	arena_release(a);
	if (keep->cap > BLOCK_BYTES) {
		free(keep);
		return;
	}
	keep->next = NULL;
	keep->used = 0;
	a->head = keep;
}

static struct arena_block *
block_add(struct arena *a, size_t n)
{
	size_t cap = n > BLOCK_BYTES ? n : BLOCK_BYTES;
	struct arena_block *b = malloc(sizeof *b + cap);

	if (b == NULL)
		abort();
	b->next = a->head;
	b->used = 0;
	b->cap = cap;
	a->head = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *b = a->head;
	void *at;

	if (n > PTRDIFF_MAX - align)
		abort();
	n = (n + align - 1) & ~(align - 1);
	if (b == NULL || b->cap - b->used < n)
		b = block_add(a, n);
	at = b->mem + b->used;
	b->used += n;
	return memset(at, 0, n);
}

void *
arena_alloc_array(struct arena *a, size_t item, size_t count)
{
	size_t n;

	if (__builtin_mul_overflow(item, count, &n))
		abort();
	return arena_alloc(a, n);
}

struct str
arena_dup(struct arena *a, struct str s)
{
	if (s.p == NULL)
		return s;
	return (struct str){ arena_cstr(a, s), s.n };
}

char *
arena_cstr(struct arena *a, struct str s)
{
	char *at = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(at, s.p, s.n);
	return at;
}

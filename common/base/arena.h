/*
 * arena - memory that lives until a request or a batch ends, then goes all at once.
 *
 * Use:      arena_init, arena_alloc as often as wanted, arena_reset per request, arena_release.
 * Owns:     everything allocated from it; nothing is freed alone.
 * Threads:  one thread at a time.
 * Errors:   out of memory aborts: limit sizes that a peer chooses before asking.
 * Not for:  objects that outlive the request.
 */
#ifndef CTI_ARENA_H
#define CTI_ARENA_H

#include "common/base/str.h"

struct arena_block;

struct arena {
	struct arena_block *head;
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);
void arena_reset(struct arena *a); /* keeps one block for reuse */
void arena_wipe(struct arena *a);  /* release, overwriting the bytes */

void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
void *arena_alloc_array(
    struct arena *a, size_t item, size_t count); /* a product too large aborts */
#define arena_new(a, T, count) ((T *)arena_alloc_array((a), sizeof(T), (count)))

struct str arena_dup(struct arena *a, struct str s); /* also NUL-terminated; STR_NONE stays so */
char *arena_cstr(struct arena *a, struct str s);     /* NUL-terminated copy */

#endif

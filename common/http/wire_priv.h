/*
 * wire_priv - a wire and its loop from inside.
 *
 * Use:      private to wire.c (what any thread calls) and wire_loop.c (the loop's thread).
 * Owns:     see wire.h.
 * Threads:  each member says who may touch it.
 * Errors:   none.
 */
#ifndef CTI_WIRE_PRIV_H
#define CTI_WIRE_PRIV_H

#include "common/http/wire.h"

#include <pthread.h>

enum { WIRE_READ_BYTES = 16 * 1024 };

struct item {
	struct item *next;
	struct wire_bytes *bytes;
};

struct wire {
	struct wire_opts o;
	struct loop *loop;
	/* Of the loop's thread alone: */
	struct wire *next, *prev;
	int fd;
	int64_t due_ms;
	size_t sent; /* of the first item */
	bool wants_room, ending, shut, dead, told_full;
	/* Guarded by the loop's lock: */
	struct item *first, *last;
	size_t queued; /* bytes */
	bool full, asked_to_end, drop;
	struct wire_bytes *last_words;
	bool listed; /* on the loop's list of what wants attention */
	struct wire *next_listed;
};

struct loop {
	struct wires *set;
	pthread_t thread;
	int epoll, wake;
	char in[WIRE_READ_BYTES];
	/* Of its thread alone: */
	struct wire *all, *dead;
	int64_t next_due_ms;
	pthread_mutex_t lock;
	/* Guarded by it: */
	struct wire *incoming, *first_listed, *last_listed;
	bool woken, stopping;
};

struct wires {
	int n;
	atomic_uint next; /* loop for the next connection */
	atomic_int count;
	struct loop *loops;
};

/* With the lock of its loop held; takes the reference to `b`. */
void wire_append(struct wire *w, struct item *it, struct wire_bytes *b);
struct item *wire_item_new(void);

/* The thread's function: a struct loop. */
void *wire_loop_run(void *loop);

#endif

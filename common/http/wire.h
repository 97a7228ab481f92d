/*
 * wire - connections without threads of their own: a few threads read and write them all.
 *
 * Use:      wires_start() once; wires_adopt() per connection; wire_send() and wire_end() from any
 *           thread; the rest happens in the connection's calls.
 * Owns:     a wire owns its socket and its queue, until its `ended` has returned.
 * Threads:  all calls of one wire come from one thread, without a lock held. Whoever uses a wire
 *           from another thread must know that `ended` has not returned: keep it in a registry under
 *           a lock, and leave the registry in `ended`, under that lock.
 * Errors:   a queue beyond its limit is no error of the sender: `full` is called once, and what
 *           is sent later is dropped.
 * Not for:  anything that blocks, in a call.
 */
#ifndef CTI_WIRE_H
#define CTI_WIRE_H

#include "common/base/err.h"
#include "common/base/str.h"

#include <stdatomic.h>

struct wire;
struct wires;

/* ---- bytes that many wires send ---- */

struct wire_bytes {
	atomic_int refs;
	size_t n;
	char p[];
};

struct wire_bytes *wire_bytes_new(struct str head, struct str tail); /* one reference */
void wire_bytes_unref(struct wire_bytes *b);

/* ---- one connection ---- */

struct wire_calls {
	void (*begun)(void *arg);                  /* the first call */
	void (*read)(void *arg, struct str bytes); /* from the peer; not after wire_end() */
	void (*full)(void *arg);                   /* the peer does not read: wire_end() it */
	void (*drained)(void *arg);                /* all that was queued is out; may be NULL */
	int64_t (*due)(void *arg, int64_t now_ms); /* its instant has come; returns the next one */
	void (*ended)(void *arg);                  /* the last call: it is gone */
};

struct wire_opts {
	const struct wire_calls *calls; /* static */
	void *arg;
	int64_t due_ms;   /* first call of `due`: monotonic; WIRE_NEVER for none */
	size_t max_bytes; /* in the queue; one message more may lie in it */
};

#define WIRE_NEVER INT64_MAX

/* Takes the socket over (non-blocking). *out is set before the first call. */
void wires_adopt(struct wires *w, int fd, const struct wire_opts *o, struct wire **out);

/* Shares `b` until it is out. */
void wire_send(struct wire *w, struct wire_bytes *b);

/*
 * Send what is queued (or, with `drop`, only what has been sent in part), then `last` (its reference
 * is taken; NULL is allowed), then close; at the latest after a few seconds. Only once, the first
 * counts.
 */
void wire_end(struct wire *w, struct wire_bytes *last, bool drop);

/* ---- the threads ---- */

CTI_MUST_CHECK enum err_code wires_start(int threads, struct wires **out, struct err *e);
int wires_count(const struct wires *w); /* of connections that have not ended */
/* Drops what is still there; each `ended` is called. NULL is allowed. */
void wires_stop(struct wires *w);

#endif

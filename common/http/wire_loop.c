#include "common/http/wire_priv.h"

#include "common/base/clock.h"
#include "common/base/own.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	MAX_EVENTS = 64,
	MAX_PARTS = 16, /* messages in one system call */
	LOOK_MS = 50,   /* instants are met so exactly */
	END_MS = 5000,  /* how long a peer may take to read the last words and to close */
};

static void
due_at(struct wire *w, int64_t ms)
{
	w->due_ms = ms;
	if (ms < w->loop->next_due_ms)
		w->loop->next_due_ms = ms;
}

static void
watch(struct wire *w, int op)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLRDHUP | (w->wants_room ? EPOLLOUT : 0),
		.data.ptr = w,
	};

	(void)epoll_ctl(w->loop->epoll, op, w->fd, &ev);
}

static void
watch_for_room(struct wire *w, bool wants)
{
	if (w->wants_room == wants)
		return;
	w->wants_room = wants;
	watch(w, EPOLL_CTL_MOD);
}

/* Freed at the end of the round: further events of it may be at hand. */
static void
die(struct wire *w)
{
	struct loop *l = w->loop;

	if (w->dead)
		return;
	w->dead = true;
	(void)close(w->fd);
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		l->all = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	w->o.calls->ended(w->o.arg);
	w->next = l->dead;
	l->dead = w;
}

/* With the lock held. */
static void
drop_first(struct wire *w)
{
	struct item *it = w->first;

	w->first = it->next;
	if (w->first == NULL)
		w->last = NULL;
	w->queued -= it->bytes->n;
	wire_bytes_unref(it->bytes);
	free(it);
}

/* With the lock held. A message that is out in part must go out whole. */
static void
drop_unsent(struct wire *w)
{
	struct item *kept = w->sent > 0 ? w->first : NULL;

	if (kept != NULL) {
		w->first = kept->next;
		w->queued -= kept->bytes->n;
	}
	while (w->first != NULL)
		drop_first(w);
	w->last = NULL;
	if (kept != NULL)
		wire_append(w, kept, kept->bytes);
}

static int
collect(struct wire *w, struct iovec *parts)
{
	int n = 0;

	(void)pthread_mutex_lock(&w->loop->lock);
	for (struct item *it = w->first; it != NULL && n < MAX_PARTS; it = it->next)
		parts[n++] = (struct iovec){ it->bytes->p, it->bytes->n };
	(void)pthread_mutex_unlock(&w->loop->lock);
	if (n > 0) {
		parts[0].iov_base = (char *)parts[0].iov_base + w->sent;
		parts[0].iov_len -= w->sent;
	}
	return n;
}

static void
count_sent(struct wire *w, size_t n)
{
	(void)pthread_mutex_lock(&w->loop->lock);
	for (n += w->sent; w->first != NULL && n >= w->first->bytes->n;) {
		n -= w->first->bytes->n;
		drop_first(w);
	}
	(void)pthread_mutex_unlock(&w->loop->lock);
	w->sent = n;
}

static void
all_sent(struct wire *w)
{
	watch_for_room(w, false);
	if (w->ending && !w->shut) {
		w->shut = true;
		(void)shutdown(w->fd, SHUT_WR);
	} else if (!w->ending && w->o.calls->drained != NULL) {
		w->o.calls->drained(w->o.arg);
	}
}

static void
flush(struct wire *w)
{
	struct iovec parts[MAX_PARTS];

	for (;;) {
		struct msghdr m = { .msg_iov = parts };
		ssize_t n;

		m.msg_iovlen = (size_t)collect(w, parts);
		if (m.msg_iovlen == 0) {
			all_sent(w);
			return;
		}
		n = sendmsg(w->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			count_sent(w, (size_t)n);
		} else if (errno == EAGAIN) {
			watch_for_room(w, true);
			return;
		} else if (errno != EINTR) {
			die(w);
			return;
		}
	}
}

/* Somebody has sent, or ended it, or its queue was full. */
static void
attend(struct wire *w)
{
	struct item *it = wire_item_new();
	bool full;

	(void)pthread_mutex_lock(&w->loop->lock);
	full = w->full && !w->told_full;
	if (w->asked_to_end && !w->ending) {
		w->ending = true;
		if (w->drop)
			drop_unsent(w);
		if (w->last_words != NULL) {
			wire_append(w, it, TAKE(w->last_words));
			it = NULL;
		}
		due_at(w, clock_mono_ms() + END_MS);
	}
	(void)pthread_mutex_unlock(&w->loop->lock);
	free(it);
	if (full) {
		w->told_full = true;
		w->o.calls->full(w->o.arg);
	}
	flush(w);
}

static void
receive(struct wire *w)
{
	ssize_t n = recv(w->fd, w->loop->in, WIRE_READ_BYTES, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		die(w);
	else if (n > 0 && !w->ending)
		w->o.calls->read(w->o.arg, (struct str){ w->loop->in, (size_t)n });
}

static void
on_events(struct wire *w, uint32_t events)
{
	if (!w->dead && (events & ~(uint32_t)EPOLLOUT) != 0)
		receive(w);
	if (!w->dead && (events & EPOLLOUT) != 0)
		flush(w);
}

/* Both lists are looked at after `woken` is reset: whoever adds to one of them later wakes us again. */
static void
take_incoming(struct loop *l)
{
	struct wire *w;

	(void)pthread_mutex_lock(&l->lock);
	l->woken = false;
	w = TAKE(l->incoming);
	(void)pthread_mutex_unlock(&l->lock);
	while (w != NULL) {
		struct wire *next = w->next;

		w->next = l->all;
		w->prev = NULL;
		if (l->all != NULL)
			l->all->prev = w;
		l->all = w;
		due_at(w, w->due_ms);
		w->o.calls->begun(w->o.arg);
		watch(w, EPOLL_CTL_ADD);
		w = next;
	}
}

static void
attend_listed(struct loop *l)
{
	struct wire *w;

	(void)pthread_mutex_lock(&l->lock);
	w = TAKE(l->first_listed);
	l->last_listed = NULL;
	while (w != NULL) {
		struct wire *next = w->next_listed;

		w->listed = false;
		(void)pthread_mutex_unlock(&l->lock);
		if (!w->dead)
			attend(w);
		(void)pthread_mutex_lock(&l->lock);
		w = next;
	}
	(void)pthread_mutex_unlock(&l->lock);
}

static void
look_at_all(struct loop *l)
{
	int64_t now_ms = clock_mono_ms(), next_due_ms = WIRE_NEVER;
	struct wire *next;

	for (struct wire *w = l->all; w != NULL; w = next) {
		next = w->next;
		if (now_ms >= w->due_ms && w->ending) {
			die(w);
			continue;
		}
		if (now_ms >= w->due_ms)
			w->due_ms = w->o.calls->due(w->o.arg, now_ms);
		if (w->due_ms < next_due_ms)
			next_due_ms = w->due_ms;
	}
	l->next_due_ms = next_due_ms < now_ms + LOOK_MS ? now_ms + LOOK_MS : next_due_ms;
}

static void
wire_free(struct wire *w)
{
	while (w->first != NULL)
		drop_first(w);
	wire_bytes_unref(w->last_words);
	free(w);
}

/* One that is still on the list stays until the next round has taken it off. */
static void
bury(struct loop *l)
{
	struct wire *w = TAKE(l->dead);

	while (w != NULL) {
		struct wire *next = w->next;
		bool listed;

		(void)pthread_mutex_lock(&l->lock);
		listed = w->listed;
		(void)pthread_mutex_unlock(&l->lock);
		if (listed) {
			w->next = l->dead;
			l->dead = w;
		} else {
			wire_free(w);
			(void)atomic_fetch_sub(&l->set->count, 1);
		}
		w = next;
	}
}

static int
patience(const struct loop *l)
{
	int64_t ms;

	if (l->next_due_ms == WIRE_NEVER)
		return -1;
	ms = l->next_due_ms - clock_mono_ms();
	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static bool
is_stopping(struct loop *l)
{
	bool stopping;

	(void)pthread_mutex_lock(&l->lock);
	stopping = l->stopping;
	(void)pthread_mutex_unlock(&l->lock);
	return stopping;
}

static void
one_round(struct loop *l)
{
	struct epoll_event ev[MAX_EVENTS];
	int n = epoll_wait(l->epoll, ev, MAX_EVENTS, patience(l));
	eventfd_t woken;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == NULL)
			(void)eventfd_read(l->wake, &woken);
		else
			on_events(ev[i].data.ptr, ev[i].events);
	}
	take_incoming(l);
	attend_listed(l);
	if (clock_mono_ms() >= l->next_due_ms)
		look_at_all(l);
	bury(l);
}

void *
wire_loop_run(void *loop)
{
	struct loop *l = loop;

	while (!is_stopping(l))
		one_round(l);
	take_incoming(l);
	while (l->all != NULL)
		die(l->all);
	attend_listed(l);
	bury(l);
	return NULL;
}

#include "common/http/wire_priv.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel would keep megabytes for a peer that does not read. */
enum { SEND_BUFFER_BYTES = 64 * 1024 };

/* ---- bytes ---- */

struct wire_bytes *
wire_bytes_new(struct str head, struct str tail)
{
	struct wire_bytes *b = malloc(sizeof *b + head.n + tail.n);

	if (b == NULL)
		abort();
	atomic_init(&b->refs, 1);
	b->n = head.n + tail.n;
	if (head.n > 0)
		memcpy(b->p, head.p, head.n);
	if (tail.n > 0)
		memcpy(b->p + head.n, tail.p, tail.n);
	return b;
}

void
wire_bytes_unref(struct wire_bytes *b)
{
	if (b != NULL && atomic_fetch_sub(&b->refs, 1) == 1)
		free(b);
}

/* ---- from any thread ---- */

/* With the lock held. True: wake_up() it once the lock is free. */
static bool
must_wake(struct loop *l)
{
	bool was = l->woken;

	l->woken = true;
	return !was;
}

static void
wake_up(struct loop *l)
{
	(void)eventfd_write(l->wake, 1);
}

/* With the lock held. */
static bool
list(struct wire *w)
{
	struct loop *l = w->loop;

	if (w->listed)
		return false;
	w->listed = true;
	w->next_listed = NULL;
	if (l->last_listed != NULL)
		l->last_listed->next_listed = w;
	else
		l->first_listed = w;
	l->last_listed = w;
	return must_wake(l);
}

/* With the lock held; takes the reference. */
void
wire_append(struct wire *w, struct item *it, struct wire_bytes *b)
{
	*it = (struct item){ .bytes = b };
	if (w->last != NULL)
		w->last->next = it;
	else
		w->first = it;
	w->last = it;
	w->queued += b->n;
}

struct item *
wire_item_new(void)
{
	struct item *it = malloc(sizeof *it);

	if (it == NULL)
		abort();
	return it;
}

void
wire_send(struct wire *w, struct wire_bytes *b)
{
	struct item *it = wire_item_new();
	bool wake = false;

	(void)pthread_mutex_lock(&w->loop->lock);
	if (!w->asked_to_end && !w->full) {
		if (w->queued <= w->o.max_bytes) {
			(void)atomic_fetch_add(&b->refs, 1);
			wire_append(w, it, b);
			it = NULL;
		} else {
			w->full = true;
		}
		wake = list(w);
	}
	(void)pthread_mutex_unlock(&w->loop->lock);
	if (wake)
		wake_up(w->loop);
	free(it);
}

void
wire_end(struct wire *w, struct wire_bytes *last, bool drop)
{
	bool wake = false;

	(void)pthread_mutex_lock(&w->loop->lock);
	if (!w->asked_to_end) {
		w->asked_to_end = true;
		w->drop = drop;
		w->last_words = last;
		last = NULL;
		wake = list(w);
	}
	(void)pthread_mutex_unlock(&w->loop->lock);
	if (wake)
		wake_up(w->loop);
	wire_bytes_unref(last);
}

void
wires_adopt(struct wires *set, int fd, const struct wire_opts *o, struct wire **out)
{
	struct loop *l = &set->loops[atomic_fetch_add(&set->next, 1) % (unsigned)set->n];
	struct wire *w = calloc(1, sizeof *w);
	int bytes = SEND_BUFFER_BYTES;
	bool wake;

	if (w == NULL)
		abort();
	w->o = *o;
	w->loop = l;
	w->fd = fd;
	w->due_ms = o->due_ms;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	*out = w;
	(void)atomic_fetch_add(&set->count, 1);
	(void)pthread_mutex_lock(&l->lock);
	w->next = l->incoming;
	l->incoming = w;
	wake = must_wake(l);
	(void)pthread_mutex_unlock(&l->lock);
	if (wake)
		wake_up(l);
}

int
wires_count(const struct wires *set)
{
	return atomic_load(&set->count);
}

/* ---- starting and stopping ---- */

static void
loop_free(struct loop *l)
{
	if (l->epoll >= 0)
		(void)close(l->epoll);
	if (l->wake >= 0)
		(void)close(l->wake);
	(void)pthread_mutex_destroy(&l->lock);
}

static bool
loop_start(struct loop *l, struct wires *set)
{
	struct epoll_event ev = { .events = EPOLLIN };

	l->set = set;
	l->next_due_ms = WIRE_NEVER;
	(void)pthread_mutex_init(&l->lock, NULL);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll >= 0 && l->wake >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &ev) == 0
	    && pthread_create(&l->thread, NULL, wire_loop_run, l) == 0)
		return true;
	loop_free(l);
	return false;
}

enum err_code
wires_start(int threads, struct wires **out, struct err *e)
{
	struct wires *set = calloc(1, sizeof *set);

	if (set == NULL || (set->loops = calloc((size_t)threads, sizeof *set->loops)) == NULL)
		abort();
	while (set->n < threads && loop_start(&set->loops[set->n], set))
		set->n++;
	if (set->n == threads) {
		*out = set;
		return ERR_OK;
	}
	wires_stop(set);
	return err_set(e, ERR_UNAVAILABLE, "no thread or file descriptor for open connections");
}

void
wires_stop(struct wires *set)
{
	if (set == NULL)
		return;
	for (int i = 0; i < set->n; i++) {
		struct loop *l = &set->loops[i];

		(void)pthread_mutex_lock(&l->lock);
		l->stopping = true;
		(void)pthread_mutex_unlock(&l->lock);
		wake_up(l);
		(void)pthread_join(l->thread, NULL);
		loop_free(l);
	}
	free(set->loops);
	free(set);
}

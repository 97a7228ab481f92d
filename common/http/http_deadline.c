#include "common/http/http_deadline.h"

#include "common/base/clock.h"
#include "common/base/cond.h"

#include <signal.h>
#include <stdlib.h>

/* A real-time signal that neither glibc nor our libraries use. */
#define DEADLINE_SIGNAL (SIGRTMIN + 1)

/* How often to look, and how often while a thread is late: it may be missed between two reads. */
enum { LOOK_MS = 50, LATE_LOOK_MS = 7 };

struct http_deadline {
	struct http_watch *watch;
	struct http_deadline *next; /* guarded by the watch */
	pthread_t thread;
	pthread_mutex_t lock;
	bool running;     /* guarded by `lock`: once it is false, no signal is sent any more */
	int64_t since_ms; /* monotonic: when this reading began; INT64_MAX: it is not hurried;
	                   * guarded by `lock` */
	_Atomic int64_t due_ms;
	_Atomic bool hurried; /* brought forward */
};

struct http_watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stopping;               /* guarded by `lock`, as is the next one */
	struct http_deadline *first; /* of all that there are */
	_Atomic int64_t patience_ms; /* 0: there is no hurry */
};

/* Nothing to do: that the signal interrupted poll() is the point. */
static void
on_signal(int signo)
{
	(void)signo;
}

static void
install_handler(void)
{
	struct sigaction sa = { .sa_handler = on_signal }; /* without SA_RESTART */

	(void)sigaction(DEADLINE_SIGNAL, &sa, NULL);
}

static void
unblock_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, DEADLINE_SIGNAL);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the watch ---- */

static bool
interrupt_if_late(struct http_deadline *d, int64_t now_ms, int64_t patience_ms)
{
	bool late;

	(void)pthread_mutex_lock(&d->lock);
	if (d->running && patience_ms > 0 && now_ms - d->since_ms >= patience_ms
	    && d->due_ms > now_ms) {
		d->due_ms = now_ms;
		d->hurried = true;
	}
	late = d->running && now_ms >= d->due_ms;
	if (late)
		(void)pthread_kill(d->thread, DEADLINE_SIGNAL);
	(void)pthread_mutex_unlock(&d->lock);
	return late;
}

static void *
watch(void *arg)
{
	struct http_watch *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		int64_t now_ms = clock_mono_ms();
		bool late = false;

		for (struct http_deadline *d = w->first; d != NULL; d = d->next)
			late |= interrupt_if_late(d, now_ms, w->patience_ms);
		(void)cond_wait_until(
		    &w->stopped, &w->lock, now_ms + (late ? LATE_LOOK_MS : LOOK_MS));
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void
watch_free(struct http_watch *w)
{
	(void)pthread_cond_destroy(&w->stopped);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

enum err_code
http_watch_start(struct http_watch **out, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		abort();
	(void)pthread_once(&once, install_handler);
	(void)pthread_mutex_init(&w->lock, NULL);
	cond_init(&w->stopped);
	if (pthread_create(&w->thread, NULL, watch, w) != 0) {
		watch_free(w);
		return err_set(
		    e, ERR_UNAVAILABLE, "cannot start the thread that watches deadlines");
	}
	*out = w;
	return ERR_OK;
}

void
http_watch_stop(struct http_watch *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stopping = true;
	(void)pthread_cond_signal(&w->stopped);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	watch_free(w);
}

void
http_watch_hurry(struct http_watch *w, int64_t patience_ms)
{
	w->patience_ms = patience_ms;
}

/* ---- a deadline ---- */

struct http_deadline *
http_deadline_new(struct http_watch *w)
{
	struct http_deadline *d = calloc(1, sizeof *d);

	if (d == NULL)
		abort();
	d->watch = w;
	d->thread = pthread_self();
	(void)pthread_mutex_init(&d->lock, NULL);
	unblock_signal();
	(void)pthread_mutex_lock(&w->lock);
	d->next = w->first;
	w->first = d;
	(void)pthread_mutex_unlock(&w->lock);
	return d;
}

void
http_deadline_free(struct http_deadline *d)
{
	struct http_deadline **at;

	if (d == NULL)
		return;
	(void)pthread_mutex_lock(&d->watch->lock);
	for (at = &d->watch->first; *at != d;)
		at = &(*at)->next;
	*at = d->next;
	(void)pthread_mutex_unlock(&d->watch->lock);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

static void
start(struct http_deadline *d, int64_t in_ms, bool kept)
{
	int64_t now_ms = clock_mono_ms();

	(void)pthread_mutex_lock(&d->lock);
	d->since_ms = kept ? INT64_MAX : now_ms;
	d->due_ms = now_ms + in_ms;
	d->hurried = false;
	d->running = true;
	(void)pthread_mutex_unlock(&d->lock);
}

void
http_deadline_start(struct http_deadline *d, int64_t in_ms)
{
	start(d, in_ms, false);
}

void
http_deadline_start_kept(struct http_deadline *d, int64_t in_ms)
{
	start(d, in_ms, true);
}

int64_t
http_deadline_begin(struct http_deadline *d, int64_t within_ms)
{
	int64_t now_ms = clock_mono_ms(), begun_ms;

	(void)pthread_mutex_lock(&d->lock);
	begun_ms = d->due_ms - within_ms < now_ms ? d->due_ms - within_ms : now_ms;
	d->due_ms = begun_ms + within_ms;
	d->running = false;
	(void)pthread_mutex_unlock(&d->lock);
	return begun_ms;
}

static void
set_running(struct http_deadline *d, bool running)
{
	(void)pthread_mutex_lock(&d->lock);
	d->running = running;
	d->since_ms = clock_mono_ms();
	(void)pthread_mutex_unlock(&d->lock);
}

void
http_deadline_pause(struct http_deadline *d)
{
	set_running(d, false);
}

void
http_deadline_resume(struct http_deadline *d)
{
	set_running(d, true);
}

bool
http_deadline_is_over(const struct http_deadline *d)
{
	return clock_mono_ms() >= d->due_ms;
}

bool
http_deadline_was_hurried(const struct http_deadline *d)
{
	return d->hurried;
}

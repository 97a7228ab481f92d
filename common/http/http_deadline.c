#include "common/http/http_deadline.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A real-time signal that neither glibc nor our libraries use. */
#define DEADLINE_SIGNAL (SIGRTMIN + 1)

enum { REPEAT_MS = 20 };

struct http_deadline {
	timer_t timer;
	bool has_timer, running;
	int64_t due_ms; /* monotonic */
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

struct http_deadline *
http_deadline_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_deadline *d = calloc(1, sizeof *d);
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID };

	if (d == NULL)
		abort();
	(void)pthread_once(&once, install_handler);
	unblock_signal();
	ev.sigev_signo = DEADLINE_SIGNAL;
	ev._sigev_un._tid = gettid(); /* glibc 2.36 has no public name for this member */
	d->has_timer = timer_create(CLOCK_MONOTONIC, &ev, &d->timer) == 0;
	if (!d->has_timer)
		log_warn("http.deadline", "no timer: a request that drips can hold this thread");
	return d;
}

void
http_deadline_free(struct http_deadline *d)
{
	if (d == NULL)
		return;
	if (d->has_timer)
		(void)timer_delete(d->timer);
	free(d);
}

static void
set_timer(struct http_deadline *d, int64_t in_ms, int64_t repeat_ms)
{
	struct itimerspec at = {
		.it_value = { in_ms / 1000, in_ms % 1000 * 1000000 },
		.it_interval = { repeat_ms / 1000, repeat_ms % 1000 * 1000000 },
	};

	if (d->has_timer)
		(void)timer_settime(d->timer, 0, &at, NULL);
}

void
http_deadline_set(struct http_deadline *d, int64_t in_ms)
{
	d->due_ms = clock_mono_ms() + in_ms;
}

void
http_deadline_start(struct http_deadline *d, int64_t in_ms)
{
	http_deadline_set(d, in_ms);
	http_deadline_resume(d);
}

void
http_deadline_pause(struct http_deadline *d)
{
	if (d->running)
		set_timer(d, 0, 0);
	d->running = false;
}

void
http_deadline_resume(struct http_deadline *d)
{
	int64_t left_ms = d->due_ms - clock_mono_ms();

	set_timer(d, left_ms > 0 ? left_ms : 1, REPEAT_MS);
	d->running = true;
}

bool
http_deadline_is_over(const struct http_deadline *d)
{
	return clock_mono_ms() >= d->due_ms;
}

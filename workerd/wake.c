#include "workerd/wake.h"

#include <time.h>

void
wake_init(struct wake *w)
{
	pthread_condattr_t monotonic;

	w->hints = 0;
	w->stopping = false;
	(void)pthread_mutex_init(&w->mu, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->cond, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

void
wake_release(struct wake *w)
{
	(void)pthread_cond_destroy(&w->cond);
	(void)pthread_mutex_destroy(&w->mu);
}

void
wake_hint(struct wake *w)
{
	(void)pthread_mutex_lock(&w->mu);
	w->hints++;
	(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->mu);
}

void
wake_stop(struct wake *w)
{
	(void)pthread_mutex_lock(&w->mu);
	w->stopping = true;
	(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->mu);
}

uint64_t
wake_seen(struct wake *w)
{
	uint64_t hints;

	(void)pthread_mutex_lock(&w->mu);
	hints = w->hints;
	(void)pthread_mutex_unlock(&w->mu);
	return hints;
}

static struct timespec
from_now(int64_t ms)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

bool
wake_wait(struct wake *w, uint64_t seen, int64_t wait_ms)
{
	struct timespec until = from_now(wait_ms);
	bool stopping;

	(void)pthread_mutex_lock(&w->mu);
	while (!w->stopping && w->hints == seen)
		if (pthread_cond_timedwait(&w->cond, &w->mu, &until) != 0)
			break;
	stopping = w->stopping;
	(void)pthread_mutex_unlock(&w->mu);
	return !stopping;
}

bool
wake_pause(struct wake *w, int64_t wait_ms)
{
	struct timespec until = from_now(wait_ms);
	bool stopping;

	(void)pthread_mutex_lock(&w->mu);
	while (!w->stopping)
		if (pthread_cond_timedwait(&w->cond, &w->mu, &until) != 0)
			break;
	stopping = w->stopping;
	(void)pthread_mutex_unlock(&w->mu);
	return !stopping;
}

#include "workerd/wake.h"

#include "common/base/clock.h"
#include "common/base/cond.h"

void
wake_init(struct wake *w)
{
	w->hints = 0;
	w->stopping = false;
	(void)pthread_mutex_init(&w->mu, NULL);
	cond_init(&w->hinted);
	cond_init(&w->stopped);
}

void
wake_release(struct wake *w)
{
	(void)pthread_cond_destroy(&w->stopped);
	(void)pthread_cond_destroy(&w->hinted);
	(void)pthread_mutex_destroy(&w->mu);
}

void
wake_hint(struct wake *w)
{
	(void)pthread_mutex_lock(&w->mu);
	w->hints++;
	(void)pthread_cond_signal(&w->hinted);
	(void)pthread_mutex_unlock(&w->mu);
}

void
wake_stop(struct wake *w)
{
	(void)pthread_mutex_lock(&w->mu);
	w->stopping = true;
	(void)pthread_cond_broadcast(&w->hinted);
	(void)pthread_cond_broadcast(&w->stopped);
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

bool
wake_wait(struct wake *w, uint64_t seen, int64_t wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	bool stopping;

	(void)pthread_mutex_lock(&w->mu);
	while (!w->stopping && w->hints == seen)
		if (!cond_wait_until(&w->hinted, &w->mu, until))
			break;
	stopping = w->stopping;
	(void)pthread_mutex_unlock(&w->mu);
	return !stopping;
}

bool
wake_pause(struct wake *w, int64_t wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	bool stopping;

	(void)pthread_mutex_lock(&w->mu);
	while (!w->stopping)
		if (!cond_wait_until(&w->stopped, &w->mu, until))
			break;
	stopping = w->stopping;
	(void)pthread_mutex_unlock(&w->mu);
	return !stopping;
}

#include "common/base/cond.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void
cond_init(pthread_cond_t *c)
{
	pthread_condattr_t monotonic;

	if (pthread_condattr_init(&monotonic) != 0
	    || pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) != 0
	    || pthread_cond_init(c, &monotonic) != 0)
		abort();
	(void)pthread_condattr_destroy(&monotonic);
}

bool
cond_wait_until(pthread_cond_t *c, pthread_mutex_t *held, int64_t mono_ms)
{
	struct timespec t = { .tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000 };

	return pthread_cond_timedwait(c, held, &t) != ETIMEDOUT;
}

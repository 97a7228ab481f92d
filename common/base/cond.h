/*
 * cond - condition variables that wait until a monotonic instant.
 *
 * Use:      cond_init() instead of pthread_cond_init, then cond_wait_until().
 * Owns:     nothing; destroy with pthread_cond_destroy.
 * Threads:  as pthread_cond_t.
 * Errors:   none: a condition that cannot be made aborts.
 */
#ifndef CTI_COND_H
#define CTI_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void cond_init(pthread_cond_t *c);

/* False: the instant (clock_mono_ms) has come. Wakes without a reason too, as all conditions do. */
bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *held, int64_t mono_ms);

#endif

/*
 * wake - when to look for work: a count of hints that only grows, and a poll.
 *
 * Use:      wake_hint() from anywhere; a worker notes the count before it scans, so that a hint that
 *           comes during the scan is not lost. A hint wakes one of those who wait: most are about one
 *           event. Who finds more work than that hints once more.
 * Owns:     a mutex and two conditions.
 * Threads:  safe.
 * Errors:   none.
 */
#ifndef CTI_WAKE_H
#define CTI_WAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct wake {
	pthread_mutex_t mu;
	pthread_cond_t hinted;  /* those in wake_wait */
	pthread_cond_t stopped; /* those in wake_pause */
	uint64_t hints;         /* guarded by mu */
	bool stopping;          /* guarded by mu */
};

void wake_init(struct wake *w);
void wake_release(struct wake *w);

void wake_hint(struct wake *w);
void wake_stop(struct wake *w); /* every wait ends, now and from now on */

/* The number of hints so far: take it before a scan, and hand it to the wait after it. */
uint64_t wake_seen(struct wake *w);
/* Until a hint beyond `seen`, or wait_ms. False when stopping. */
bool wake_wait(struct wake *w, uint64_t seen, int64_t wait_ms);
/* Sleep wait_ms whatever hints come. False when stopping. */
bool wake_pause(struct wake *w, int64_t wait_ms);

#endif

/*
 * http_deadline - a total deadline for reading one request.
 *
 * Use:      private to common/http. One http_watch per server; one http_deadline per worker thread,
 *           made by that thread. http_deadline_start() when a connection is taken up, pause before
 *           anything but reading, resume before reading on.
 * Owns:     a watch: its thread. It outlives its deadlines.
 * Threads:  a deadline belongs to the thread that made it.
 * Errors:   UNAVAILABLE: the watch's thread cannot be started.
 * Not for:  anything but civetweb's reads.
 *
 * civetweb bounds the gap between two bytes, not the whole: a peer that sends a byte now and then
 * holds a thread for hours, and civetweb does not give us the socket to poll ourselves. But its
 * reads end when a signal interrupts them. So the watch looks at all deadlines now and then, and
 * sends a signal to each thread that reads past its own, every time, in case the thread was just not
 * waiting. Until then a deadline costs no system call. Whoever takes a connection over for good (a
 * WebSocket) must pause it first.
 */
#ifndef CTI_HTTP_DEADLINE_H
#define CTI_HTTP_DEADLINE_H

#include "common/base/err.h"

#include <stdint.h>

struct http_watch;
struct http_deadline;

CTI_MUST_CHECK enum err_code http_watch_start(struct http_watch **out, struct err *e);
void http_watch_stop(struct http_watch *w); /* when it has no deadlines any more; NULL is allowed */

/* From now on whoever has been reading for so long is late, whatever his own deadline; 0: no more.
 * Any thread. */
void http_watch_hurry(struct http_watch *w, int64_t patience_ms);

struct http_deadline *http_deadline_new(struct http_watch *w); /* for the calling thread */
void http_deadline_free(struct http_deadline *d);

void http_deadline_start(struct http_deadline *d, int64_t in_ms); /* from now on, running */
/* The same, and nobody hurries it: closing a connection that was kept would cross with its next
 * request, which would be lost. */
void http_deadline_start_kept(struct http_deadline *d, int64_t in_ms);
/* The headers have come: pauses. The whole request has within_ms from when it began, which is
 * returned (monotonic ms): now, or sooner when the headers took longer than the wait for them. */
int64_t http_deadline_begin(struct http_deadline *d, int64_t within_ms);
void http_deadline_pause(struct http_deadline *d); /* no signals; time goes on */
void http_deadline_resume(struct http_deadline *d);
bool http_deadline_is_over(const struct http_deadline *d);
bool http_deadline_was_hurried(const struct http_deadline *d); /* it is over because of the hurry */

#endif

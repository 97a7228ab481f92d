/*
 * http_deadline - a total deadline for reading one request.
 *
 * Use:      private to common/http. One per worker thread, made by that thread.
 *           http_deadline_start() when a connection is taken up, pause before anything but
 *           reading, resume before reading on.
 * Owns:     a POSIX timer, until http_deadline_free().
 * Threads:  the thread that made it.
 * Errors:   without a timer (the system has none left) only http_deadline_is_over() works; that is logged.
 * Not for:  anything but civetweb's reads.
 *
 * civetweb bounds the gap between two bytes, not the whole: a peer that sends a byte now and then
 * holds a thread for hours, and civetweb does not give us the socket to poll ourselves. But its
 * reads end when a signal interrupts them. So a timer sends this thread a signal when the deadline
 * passes, and again every few ms in case the thread was just not waiting. Whoever takes a
 * connection over for good (a WebSocket) must therefore pause it first.
 */
#ifndef CTI_HTTP_DEADLINE_H
#define CTI_HTTP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct http_deadline;

struct http_deadline *http_deadline_new(void); /* for the calling thread */
void http_deadline_free(struct http_deadline *d);

/* As start, but the clockwork stays as it is: it begins with the next resume. */
void http_deadline_set(struct http_deadline *d, int64_t in_ms);
void http_deadline_start(struct http_deadline *d, int64_t in_ms); /* from now on, running */
void http_deadline_pause(struct http_deadline *d);                /* no signals; time goes on */
void http_deadline_resume(struct http_deadline *d);
bool http_deadline_is_over(const struct http_deadline *d);

#endif

/*
 * http_nudge - connections that make a stopping civetweb notice that it is to stop.
 *
 * Use:      private to common/http, around mg_stop().
 * Owns:     a thread, from start to end.
 * Threads:  start and end from one thread.
 * Errors:   none: without it stopping takes up to two seconds.
 * Not for:  anything else.
 *
 * civetweb looks at its stop flag when a connection comes, else every two seconds: one comes.
 */
#ifndef CTI_HTTP_NUDGE_H
#define CTI_HTTP_NUDGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct http_nudge {
	pthread_t thread;
	const char *address;
	int port;
	bool started;
	atomic_bool ended;
};

void http_nudge_start(struct http_nudge *n, const char *address, int port);
void http_nudge_end(struct http_nudge *n);

#endif

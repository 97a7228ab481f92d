/*
 * http_room - how many requests a server serves at once, who waits, and who must go meanwhile.
 *
 * Use:      private to http_server.c: http_room_enter() and http_room_leave() around each request,
 *           http_room_count() at the begin and the end of each connection.
 * Owns:     its lock and conditions, from http_room_init to http_room_release.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  deciding what is answered (http_dispatch.h).
 */
#ifndef CTI_HTTP_ROOM_H
#define CTI_HTTP_ROOM_H

#include "common/http/http_deadline.h"
#include "common/http/http_dispatch.h"

#include <pthread.h>

struct http_room {
	int places;               /* requests served at once */
	int workers;              /* threads, of which each open connection has one */
	int64_t wait_ms;          /* how long one more waits for a place */
	struct http_watch *watch; /* borrowed; set before the first connection */
	pthread_mutex_t lock;     /* of all that follows */
	pthread_cond_t idle;      /* signalled when the last admitted request has been answered */
	pthread_cond_t more;      /* signalled when there may be a place, or draining begins */
	int admitted, waiting, open;
	bool draining;
	bool ending;  /* no connection lives on */
	bool hurried; /* nobody else can be served */
};

void http_room_init(struct http_room *r, int places, int workers, int64_t wait_ms);
void http_room_release(struct http_room *r);

enum http_admission http_room_enter(struct http_room *r);
void http_room_leave(struct http_room *r, enum http_admission a);

/* Connections that began (1) or ended (-1). */
void http_room_count(struct http_room *r, int by);
/* May this connection live on? An idle one holds a thread: the last quarter of them is for
 * connections that end. */
bool http_room_has_spare(struct http_room *r);
void http_room_end_reuse(struct http_room *r); /* none may, from now on */

/* Admit nobody any more; wait until those who were admitted are gone, at most until that instant. */
void http_room_drain(struct http_room *r, int64_t until_ms);

#endif

/*
 * http_late - an answer that comes later, without a thread that waits for it.
 *
 * Use:      http_late_leave() as the last thing in the handler of a GET route; http_late_answer()
 *           when there is something to say, at the latest in the call `due`.
 * Owns:     what the answer needs of its request, until `gone` has returned.
 * Threads:  all calls of one answer come from one thread, without a lock held. http_late_answer()
 *           from any thread that knows that `gone` has not returned (see wire.h).
 * Errors:   none: a peer that left is `gone`.
 * Not for:  requests with a body, errors, streaming.
 */
#ifndef CTI_HTTP_LATE_H
#define CTI_HTTP_LATE_H

#include "common/http/http.h"

struct http_late;

struct http_late_calls {
	void (*open)(void *arg, struct http_late *l); /* the first call, unless it is `gone` */
	void (*due)(void *arg);                       /* the wait is over */
	void (*gone)(void *arg);                      /* the last call: answered, or left */
};

/* Headers that the handler has added go out with the answer. After this `gone` is called in any
 * case, and the handler must return ERR_OK. */
void http_late_leave(struct http_req *req, struct http_res *res,
    const struct http_late_calls *calls, void *arg, int64_t wait_ms);

/* 200 with this JSON. Once; the first counts. */
void http_late_answer(struct http_late *l, struct str json);

#endif

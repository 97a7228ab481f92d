/*
 * poll - a subscriber that waits for one answer: GET /api/events with `wait`.
 *
 * Use:      live_poll_wait() as the last thing in the handler.
 * Owns:     itself, until it is answered or its client is gone.
 * Threads:  safe.
 * Errors:   as live_sub_new().
 * Not for:  what is there already: the handler answers that itself.
 */
#ifndef CTI_APID_LIVE_POLL_H
#define CTI_APID_LIVE_POLL_H

#include "apid/live/sub.h"
#include "common/http/http.h"

struct live_poll_opts {
	struct live_pass pass;
	int64_t pos;
	uint32_t types;
	int64_t limit, wait_ms;
};

CTI_MUST_CHECK enum err_code live_poll_wait(struct http_req *req, struct http_res *res,
    struct live_hub *h, const struct live_poll_opts *o, struct err *e);

#endif

/*
 * socket - a subscriber on a WebSocket: what it is sent and what it says.
 *
 * Use:      live_socket_accept() in the handler of GET /ws; live_socket_refuse() for a browser.
 * Owns:     itself, until its socket has closed.
 * Threads:  safe.
 * Errors:   as ws_accept() and live_sub_new().
 * Not for:  who is let in (access.h, open.c).
 */
#ifndef CTI_APID_LIVE_SOCKET_H
#define CTI_APID_LIVE_SOCKET_H

#include "apid/live/sub.h"
#include "common/http/http.h"

/* One who shows no pass has a few seconds to send a key; then its origin matters (may be STR_NONE). */
CTI_MUST_CHECK enum err_code live_socket_accept(struct http_req *req, struct http_res *res,
    struct live_hub *h, const struct live_pass *pass, struct str origin, struct err *e);

/* A browser does not show its page the status of an answer, but it does show a close code. */
CTI_MUST_CHECK enum err_code live_socket_refuse(
    struct http_req *req, struct http_res *res, enum live_end why, struct err *e);

#endif

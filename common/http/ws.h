/*
 * ws - WebSockets: handshake, messages, pings, close.
 *
 * Use:      ws_accept() as the last thing in the handler of a GET route; then the calls come.
 * Owns:     a socket lives until its `closed` has returned.
 * Threads:  all calls of one socket come from one thread, without a lock held. ws_send() and
 *           ws_close() from any thread that knows that `closed` has not returned (see wire.h).
 * Errors:   UPGRADE_REQUIRED: the request asks for no WebSocket of version 13. INVALID: its key.
 * Not for:  clients, binary messages, extensions: none is offered.
 * Source:   RFC 6455. A client that breaks it is closed with the code that says how.
 */
#ifndef CTI_WS_H
#define CTI_WS_H

#include "common/http/http.h"
#include "common/http/wire.h"

struct ws;

enum ws_code {
	WS_CODE_NORMAL = 1000,
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_NOT_TEXT = 1003,
	WS_CODE_NOT_UTF8 = 1007,
	WS_CODE_TOO_BIG = 1009,
	WS_CODE_RESTART = 1012,
	WS_CODE_TRY_LATER = 1013,
	/* 4000 to 4999 are the application's. */
};

struct ws_calls {
	void (*open)(void *arg, struct ws *ws);      /* the first call, unless it is `closed` */
	void (*text)(void *arg, struct str message); /* complete, and UTF-8 */
	void (*full)(void *arg);    /* does not read: ws_close() it with drop, and say so */
	void (*drained)(void *arg); /* all that was sent is out */
	int64_t (*due)(void *arg, int64_t now_ms); /* as in wire.h */
	void (*closed)(void *arg);                 /* the last call */
};

struct ws_opts {
	const struct ws_calls *calls; /* static */
	void *arg;
	size_t max_message; /* bytes, from the client */
	size_t max_queue;   /* bytes, to the client */
	int64_t ping_ms;    /* a ping so often; gone when two in a row were not answered */
	int64_t due_ms;     /* monotonic; WIRE_NEVER for none */
};

/* After ERR_OK `closed` is called in any case. */
CTI_MUST_CHECK enum err_code ws_accept(
    struct http_req *req, struct http_res *res, const struct ws_opts *o, struct err *e);

/* A message, to be sent to any number of sockets; wire_bytes_unref() it afterwards. */
struct wire_bytes *ws_text(struct str message);
void ws_send(struct ws *ws, struct wire_bytes *message);

/* Once; `reason` has up to 100 bytes. With `drop`, what is still queued is not sent. */
void ws_close(struct ws *ws, int code, struct str reason, bool drop);

#endif

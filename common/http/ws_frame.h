/*
 * ws_frame - WebSocket frames as bytes: what a client sent, and the head of what we send.
 *
 * Use:      private to common/http: ws_read() until it says WS_NOTHING, with what came from the
 *           socket; ws_frame() for what goes out.
 * Owns:     a reader has the message under way, until ws_reader_release().
 * Threads:  no shared state.
 * Errors:   WS_FAULT with the close code that the peer is to be told; the reader is of no use then.
 * Not for:  sending, pings, time (ws.c).
 * Source:   RFC 6455. Stricter than it must be: lengths in their shortest form only.
 */
#ifndef CTI_WS_FRAME_H
#define CTI_WS_FRAME_H

#include "common/base/buf.h"
#include "common/http/wire.h"

enum ws_opcode {
	WS_OP_CONTINUATION = 0,
	WS_OP_TEXT = 1,
	WS_OP_BINARY = 2,
	WS_OP_CLOSE = 8,
	WS_OP_PING = 9,
	WS_OP_PONG = 10,
};

enum { WS_MAX_HEAD_BYTES = 14, WS_MAX_CONTROL_BYTES = 125 };

struct ws_reader {
	struct buf message; /* of its fragments so far; its maximum is the limit of a message */
	bool in_message;    /* a fragment has come that was not the last */
	bool ended;         /* `message` was handed out */
	bool in_payload;    /* the head is complete */
	unsigned char head[WS_MAX_HEAD_BYTES];
	unsigned char nhead;
	uint64_t length, got; /* of the payload */
	char control[WS_MAX_CONTROL_BYTES];
};

enum ws_got { WS_NOTHING, WS_TEXT, WS_PING, WS_PONG, WS_CLOSE, WS_FAULT };

void ws_reader_init(struct ws_reader *r, size_t max_message);
void ws_reader_release(struct ws_reader *r);

/*
 * Take from the front of *in what belongs to the next message. *payload is lent until the next call:
 * the text, or what a ping carried. *code is the one of a fault, or of the peer's WS_CLOSE (0: none).
 */
enum ws_got ws_read(struct ws_reader *r, struct str *in, struct str *payload, int *code);

/* A whole, unmasked frame. */
struct wire_bytes *ws_frame(enum ws_opcode op, struct str payload);

#endif

#include "common/http/ws_frame.h"

#include "common/base/utf8.h"
#include "common/http/ws.h"

enum {
	FIN = 0x80,
	RESERVED = 0x70,
	OPCODE = 0x0f,
	MASK = 0x80,
	LENGTH = 0x7f,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
	MASK_BYTES = 4,
};

void
ws_reader_init(struct ws_reader *r, size_t max_message)
{
	memset(r, 0, sizeof *r);
	buf_init(&r->message, max_message);
}

void
ws_reader_release(struct ws_reader *r)
{
	buf_release(&r->message);
}

static bool
is_control(const struct ws_reader *r)
{
	return (r->head[0] & 0x08) != 0;
}

/* ---- the head ---- */

/* Of a head whose first two bytes are there. */
static unsigned
head_bytes(const struct ws_reader *r)
{
	unsigned length = r->head[1] & LENGTH;

	return 2 + MASK_BYTES + (length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0);
}

/* What is wrong with the first two bytes, as a close code; 0: nothing. */
static int
judge_start(const struct ws_reader *r)
{
	int op = r->head[0] & OPCODE;

	if ((r->head[0] & RESERVED) != 0 || (r->head[1] & MASK) == 0)
		return WS_CODE_PROTOCOL;
	switch (op) {
	case WS_OP_BINARY: return WS_CODE_NOT_TEXT;
	case WS_OP_TEXT: return r->in_message ? WS_CODE_PROTOCOL : 0;
	case WS_OP_CONTINUATION: return r->in_message ? 0 : WS_CODE_PROTOCOL;
	case WS_OP_CLOSE:
	case WS_OP_PING:
	case WS_OP_PONG: break;
	default: return WS_CODE_PROTOCOL;
	}
	return (r->head[0] & FIN) == 0 || (r->head[1] & LENGTH) > WS_MAX_CONTROL_BYTES
	    ? WS_CODE_PROTOCOL
	    : 0;
}

static uint64_t
read_length(const struct ws_reader *r)
{
	unsigned n = head_bytes(r) - 2 - MASK_BYTES;
	uint64_t length = 0;

	if (n == 0)
		return r->head[1] & LENGTH;
	for (unsigned i = 0; i < n; i++)
		length = length << 8 | r->head[2 + i];
	return length;
}

static bool
is_shortest_form(const struct ws_reader *r)
{
	switch (r->head[1] & LENGTH) {
	case LENGTH_16: return r->length >= LENGTH_16;
	case LENGTH_64: return r->length > UINT16_MAX && r->length <= INT64_MAX;
	default: return true;
	}
}

static int
begin_payload(struct ws_reader *r)
{
	r->in_payload = true;
	r->got = 0;
	r->length = read_length(r);
	if (!is_shortest_form(r))
		return WS_CODE_PROTOCOL;
	return !is_control(r) && r->length > r->message.max - r->message.n ? WS_CODE_TOO_BIG : 0;
}

/* *code is set on a fault. True: the payload comes next. */
static bool
read_head(struct ws_reader *r, struct str *in, int *code)
{
	while (in->n > 0) {
		r->head[r->nhead++] = (unsigned char)*in->p++;
		in->n--;
		if (r->nhead == 2)
			*code = judge_start(r);
		if (*code != 0)
			return false;
		if (r->nhead >= 2 && r->nhead == head_bytes(r)) {
			*code = begin_payload(r);
			return *code == 0;
		}
	}
	return false;
}

/* ---- the payload ---- */

/* True: it is complete. */
static bool
read_payload(struct ws_reader *r, struct str *in)
{
	const unsigned char *mask = r->head + head_bytes(r) - MASK_BYTES;
	size_t n = r->length - r->got < in->n ? (size_t)(r->length - r->got) : in->n;
	char *to = is_control(r) ? r->control + r->got : buf_grow(&r->message, n);

	for (size_t i = 0; i < n; i++)
		to[i] = (char)(in->p[i] ^ (char)mask[(r->got + i) % MASK_BYTES]);
	r->got += n;
	in->p += n;
	in->n -= n;
	return r->got == r->length;
}

static bool
is_utf8(struct str s)
{
	while (s.n > 0) {
		size_t n = utf8_length(s);

		if (n == 0)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

/* May it stand in a frame? */
static bool
is_close_code(int code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
	    || (code >= 3000 && code <= 4999);
}

static enum ws_got
fault(int *code, int with)
{
	*code = with;
	return WS_FAULT;
}

static enum ws_got
end_close(const struct ws_reader *r, int *code)
{
	const unsigned char *p = (const unsigned char *)r->control;
	size_t n = (size_t)r->length;

	*code = 0;
	if (n == 0)
		return WS_CLOSE;
	if (n == 1 || !is_close_code(p[0] << 8 | p[1]))
		return fault(code, WS_CODE_PROTOCOL);
	if (!is_utf8((struct str){ r->control + 2, n - 2 }))
		return fault(code, WS_CODE_NOT_UTF8);
	*code = p[0] << 8 | p[1];
	return WS_CLOSE;
}

static enum ws_got
end_data(struct ws_reader *r, struct str *payload, int *code)
{
	r->in_message = (r->head[0] & FIN) == 0;
	if (r->in_message)
		return WS_NOTHING;
	if (!is_utf8(buf_str(&r->message)))
		return fault(code, WS_CODE_NOT_UTF8);
	r->ended = true;
	*payload = buf_str(&r->message);
	return WS_TEXT;
}

static enum ws_got
end_frame(struct ws_reader *r, struct str *payload, int *code)
{
	r->nhead = 0;
	r->in_payload = false;
	if (!is_control(r))
		return end_data(r, payload, code);
	*payload = (struct str){ r->control, (size_t)r->length };
	switch (r->head[0] & OPCODE) {
	case WS_OP_PING: return WS_PING;
	case WS_OP_PONG: return WS_PONG;
	default: return end_close(r, code);
	}
}

enum ws_got
ws_read(struct ws_reader *r, struct str *in, struct str *payload, int *code)
{
	enum ws_got got = WS_NOTHING;

	if (r->ended) {
		size_t max = r->message.max;

		buf_release(&r->message); /* an idle connection keeps no memory for messages */
		buf_init(&r->message, max);
		r->ended = false;
	}
	*code = 0;
	while (got == WS_NOTHING) {
		if (!r->in_payload && !read_head(r, in, code))
			return *code == 0 ? WS_NOTHING : WS_FAULT;
		if (!read_payload(r, in))
			return WS_NOTHING;
		got = end_frame(r, payload, code);
	}
	return got;
}

struct wire_bytes *
ws_frame(enum ws_opcode op, struct str payload)
{
	unsigned char head[10] = { (unsigned char)(FIN | op) };
	int length_bytes = payload.n < LENGTH_16 ? 0 : payload.n <= UINT16_MAX ? 2 : 8;

	head[1] = length_bytes == 0 ? (unsigned char)payload.n
	    : length_bytes == 2     ? LENGTH_16
				    : LENGTH_64;
	for (int i = 0; i < length_bytes; i++)
		head[2 + i] = (unsigned char)(payload.n >> (8 * (length_bytes - 1 - i)));
	return wire_bytes_new(
	    (struct str){ (const char *)head, 2 + (size_t)length_bytes }, payload);
}

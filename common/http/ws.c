#include "common/http/ws.h"

#include "common/base/clock.h"
#include "common/base/sha1.h"
#include "common/http/http_conn.h"
#include "common/http/ws_frame.h"

#include <sodium.h>
#include <stdlib.h>

enum { KEY_CHARS = 24, KEY_BYTES = 16, ACCEPT_CHARS = 29, MAX_REASON = 123, MAX_UNANSWERED = 2 };

struct ws {
	struct ws_opts o;
	struct wires *wires;
	struct wire *wire;
	struct ws_reader in;
	int64_t ping_ms, due_ms; /* next instants, monotonic */
	int unanswered;          /* pings */
};

/* ---- sending ---- */

struct wire_bytes *
ws_text(struct str message)
{
	return ws_frame(WS_OP_TEXT, message);
}

void
ws_send(struct ws *ws, struct wire_bytes *message)
{
	wire_send(ws->wire, message);
}

static void
send_control(struct ws *ws, enum ws_opcode op, struct str payload)
{
	struct wire_bytes *frame = ws_frame(op, payload);

	wire_send(ws->wire, frame);
	wire_bytes_unref(frame);
}

void
ws_close(struct ws *ws, int code, struct str reason, bool drop)
{
	char payload[2 + MAX_REASON] = { (char)(code >> 8), (char)code };
	size_t n = reason.n < MAX_REASON ? reason.n : MAX_REASON;

	if (n > 0)
		memcpy(payload + 2, reason.p, n);
	wire_end(ws->wire, ws_frame(WS_OP_CLOSE, (struct str){ payload, 2 + n }), drop);
}

/* ---- the wire's calls ---- */

static void
on_begun(void *arg)
{
	struct ws *ws = arg;

	ws->o.calls->open(ws->o.arg, ws);
}

static void
on_fault(struct ws *ws, int code)
{
	static const struct {
		int code;
		struct str why;
	} reasons[] = {
		{ WS_CODE_NOT_TEXT, { "text messages only", 18 } },
		{ WS_CODE_NOT_UTF8, { "not UTF-8", 9 } },
		{ WS_CODE_TOO_BIG, { "message too long", 16 } },
	};
	struct str why = STR("not RFC 6455");

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].code == code)
			why = reasons[i].why;
	ws_close(ws, code, why, true);
}

/* False: nothing more is read. */
static bool
on_message(struct ws *ws, enum ws_got got, struct str payload, int code)
{
	switch (got) {
	case WS_TEXT: ws->o.calls->text(ws->o.arg, payload); return true;
	case WS_PING: send_control(ws, WS_OP_PONG, payload); return true;
	case WS_PONG: ws->unanswered = 0; return true;
	case WS_CLOSE:
		ws_close(ws, code == 0 ? WS_CODE_NORMAL : code, STR_NONE, true);
		return false;
	case WS_FAULT: on_fault(ws, code); return false;
	case WS_NOTHING: break;
	}
	return false;
}

static void
on_read(void *arg, struct str bytes)
{
	struct ws *ws = arg;
	struct str payload;
	enum ws_got got;
	int code;

	do {
		got = ws_read(&ws->in, &bytes, &payload, &code);
	} while (on_message(ws, got, payload, code));
}

static void
on_full(void *arg)
{
	struct ws *ws = arg;

	ws->o.calls->full(ws->o.arg);
}

static void
on_drained(void *arg)
{
	struct ws *ws = arg;

	ws->o.calls->drained(ws->o.arg);
}

static void
ping(struct ws *ws, int64_t now_ms)
{
	ws->ping_ms = now_ms + ws->o.ping_ms;
	if (ws->unanswered >= MAX_UNANSWERED) {
		ws_close(ws, WS_CODE_PROTOCOL, STR("no answer to pings"), true);
		return;
	}
	ws->unanswered++;
	send_control(ws, WS_OP_PING, STR_NONE);
}

static int64_t
on_due(void *arg, int64_t now_ms)
{
	struct ws *ws = arg;

	if (now_ms >= ws->ping_ms)
		ping(ws, now_ms);
	if (now_ms >= ws->due_ms)
		ws->due_ms = ws->o.calls->due(ws->o.arg, now_ms);
	return ws->due_ms < ws->ping_ms ? ws->due_ms : ws->ping_ms;
}

static void
on_ended(void *arg)
{
	struct ws *ws = arg;

	ws->o.calls->closed(ws->o.arg);
	ws_reader_release(&ws->in);
	free(ws);
}

/* ---- the handshake ---- */

/* Is `word` among the comma-separated words of this header? */
static bool
header_has(const struct http_req *req, const char *name, struct str word)
{
	struct str rest = http_header(req, name);

	while (rest.p != NULL) {
		if (str_eq_nocase(str_trim(str_cut(rest, ',', &rest)), word))
			return true;
	}
	return false;
}

static void
add_accept(struct http_res *res, struct str key)
{
	unsigned char hash[SHA1_BYTES];
	char accept[ACCEPT_CHARS];
	struct sha1 sha;

	sha1_init(&sha);
	sha1_add(&sha, key.p, key.n);
	sha1_add(&sha, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
	sha1_end(&sha, hash);
	sodium_bin2base64(accept, sizeof accept, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
	http_header_add(res, "Upgrade", STR("websocket"));
	http_header_add(res, "Connection", STR("Upgrade"));
	http_header_add(res, "Sec-WebSocket-Accept", str_of(accept));
}

static bool
is_key(struct str key)
{
	unsigned char bytes[KEY_BYTES];
	size_t n = 0;

	return key.n == KEY_CHARS
	    && sodium_base642bin(bytes, sizeof bytes, key.p, key.n, NULL, &n, NULL,
		   sodium_base64_VARIANT_ORIGINAL)
	    == 0
	    && n == KEY_BYTES;
}

static void
take_over(void *arg, int fd)
{
	static const struct wire_calls calls = { on_begun, on_read, on_full, on_drained, on_due,
		on_ended };
	struct ws *ws = arg;
	int64_t now_ms = clock_mono_ms();
	struct wire_opts o = { .calls = &calls, .arg = ws, .max_bytes = ws->o.max_queue };

	if (fd < 0) {
		on_ended(ws);
		return;
	}
	/* At random, so that those who came together are not pinged as one. */
	ws->ping_ms = now_ms + ws->o.ping_ms - randombytes_uniform((uint32_t)ws->o.ping_ms / 2);
	ws->due_ms = ws->o.due_ms;
	o.due_ms = ws->due_ms < ws->ping_ms ? ws->due_ms : ws->ping_ms;
	wires_adopt(ws->wires, fd, &o, &ws->wire);
}

enum err_code
ws_accept(struct http_req *req, struct http_res *res, const struct ws_opts *o, struct err *e)
{
	const struct http_conn *c = req->priv;
	struct str key = http_header(req, "Sec-WebSocket-Key");
	struct ws *ws;

	if (!header_has(req, "Upgrade", STR("websocket"))
	    || !header_has(req, "Connection", STR("Upgrade"))
	    || !str_eq(http_header(req, "Sec-WebSocket-Version"), STR("13")))
		return err_set(e, ERR_UPGRADE_REQUIRED, "this is for WebSockets of version 13");
	if (!is_key(key))
		return err_set(e, ERR_INVALID, "Sec-WebSocket-Key is not 16 bytes in base64");
	ws = calloc(1, sizeof *ws);
	if (ws == NULL)
		abort();
	ws->o = *o;
	ws->wires = c->wires;
	ws_reader_init(&ws->in, o->max_message);
	res->status = 101;
	add_accept(res, key);
	res->handover = (struct http_handover){ .take_over = take_over, .arg = ws };
	return ERR_OK;
}

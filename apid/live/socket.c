#include "apid/live/socket.h"

#include "apid/access/limits.h"
#include "apid/live/hub.h"
#include "apid/live/wish.h"
#include "common/base/clock.h"
#include "common/base/metric.h"
#include "common/http/ws.h"

enum {
	MAX_MESSAGE_BYTES = 16 * 1024, /* that a client may send */
	MAX_QUEUE_BYTES = 1024 * 1024, /* beyond, it is too slow */
	FILL_BYTES = 512 * 1024,       /* given at once to one who resumes */
	PING_MS = 25000,
	SHOW_KEY_MS = 5000,
	/* After the first `ready`: for a client that subscribes with a cursor at once, so that it is
	 * given everything in order. */
	HOLD_MS = 1000,
	MAX_TEXT_BYTES = 2048,
};

static struct metric closed_total =
    METRIC_COUNTER("cti_live_closed_total", "Sockets that we closed, by close code.", "code");

struct live_socket {
	struct live_sub *sub; /* NULL: refused */
	struct ws *ws;
	enum live_end refusal;
	struct limits_address from; /* who is counted for a wrong key */
	bool has_subscribed;        /* guarded by the hub's lock */
};

/* ---- what is sent; with the hub's lock held ---- */

/* {"type":…,"cursor":…,"data":…}: a message that is no change. */
static void
send_note(struct live_sub *s, const char *type, struct str data)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_TEXT_BYTES);
	const struct live_socket *k = s->arg;
	const struct feed_scope scope = { live_hub_cursor_keys(s->hub), s->pass.app_id };
	char cursor[FEED_CURSOR_BYTES];
	struct wire_bytes *message;
	struct json_out j;

	jo_init(&j, &text);
	jo_obj(&j);
	jo_kv_str(&j, "type", str_of(type));
	jo_kv_str(&j, "cursor",
	    s->pos < 0 ? STR_NONE : str_of(feed_cursor_format(&scope, s->pos, cursor)));
	jo_key(&j, "data");
	jo_raw(&j, data);
	jo_end_obj(&j);
	message = ws_text(buf_str(&text));
	ws_send(k->ws, message);
	wire_bytes_unref(message);
}

static void
send_ready(struct live_sub *s)
{
	const struct live_socket *k = s->arg;

	if (!k->has_subscribed)
		s->held_until_ms = clock_mono_ms() + HOLD_MS;
	send_note(s, "ready",
	    k->has_subscribed ? STR("{\"subscribed\":true}") : STR("{\"subscribed\":false}"));
}

static void
send_resync(struct live_sub *s)
{
	send_note(s, "resync", STR(FEED_RESYNC));
}

static void
send_error(struct live_sub *s, const char *text)
{
	AUTO_RELEASE(buf_release) struct buf data = BUF(MAX_TEXT_BYTES);
	struct json_out j;

	jo_init(&j, &data);
	jo_obj(&j);
	jo_kv_str(&j, "error", str_of(text));
	jo_end_obj(&j);
	send_note(s, "error", buf_str(&data));
}

/* Who resumes from long ago gets as much as its queue holds with ease, and goes on when it has read
 * that. Who is up to date and does not read fills its queue, and is closed. */
static void
send_rows(struct live_sub *s, struct feed_page *page)
{
	const struct live_socket *k = s->arg;
	const struct feed_scope scope = { live_hub_cursor_keys(s->hub), s->pass.app_id };
	size_t given = 0;

	for (int i = 0; i < page->n && given < FILL_BYTES; i++) {
		struct feed_row *row = &page->rows[i];

		s->pos = row->seq;
		if ((row->type_bit & s->types) == 0)
			continue;
		/* Before each: those sent so far may be out, and the queue drained, at any moment. */
		atomic_store(&s->is_filled, true);
		ws_send(k->ws, feed_message(&scope, row));
		given += row->data.n;
	}
	if (!page->has_more && s->pos == page->rows[page->n - 1].seq)
		atomic_store(&s->is_filled, false);
}

static void
close_socket(const struct live_socket *k, enum live_end why)
{
	static const struct {
		int code;
		const char *label, *reason;
	} ends[] = {
		[LIVE_END_UNAUTHORIZED] = { 4401, "4401", "not authenticated" },
		[LIVE_END_WRONG_KEY] = { 4401, "4401", "not authenticated" },
		[LIVE_END_FORBIDDEN] = { 4403, "4403", "disabled, or not from here" },
		[LIVE_END_SLOW] = { 4408, "4408", "too slow: resume from your cursor" },
		[LIVE_END_RESTART] = { WS_CODE_RESTART, "1012", "restarting: reconnect" },
		[LIVE_END_CROWDED] = { WS_CODE_TRY_LATER, "1013", "no room: try later" },
	};

	metric_add(&closed_total, ends[why].label, 1);
	ws_close(k->ws, ends[why].code, str_of(ends[why].reason), why == LIVE_END_SLOW);
}

static void
end_socket(struct live_sub *s, enum live_end why)
{
	const struct live_socket *k = s->arg;

	if (why == LIVE_END_WRONG_KEY)
		limits_note_later(&k->from);
	close_socket(k, why);
}

/* ---- what is said ---- */

/* With the hub's lock held. */
static void
ask_to_be_let_in(struct live_sub *s, const struct live_wish *w)
{
	if (w->api_key.p == NULL) {
		s->to->error(s, "send your key with the first message: \"api_key\"");
		return;
	}
	free(s->api_key);
	s->api_key = strndup(w->api_key.p, w->api_key.n);
	if (s->api_key == NULL)
		abort();
	s->after[0] = '\0';
	if (w->after.n == sizeof s->after - 1)
		memcpy(s->after, w->after.p, w->after.n + 1);
	else if (w->after.n > 0)
		(void)memccpy(s->after, "x", 0, sizeof s->after); /* no cursor, and said so later */
}

/* With the hub's lock held. */
static void
subscribe(struct live_sub *s, const struct live_wish *w)
{
	struct live_socket *k = s->arg;

	if (s->ended)
		return;
	if (s->tenant == NULL) {
		ask_to_be_let_in(s, w);
	} else if (w->after.p != NULL && !live_sub_resume(s, w->after)) {
		s->to->error(s, LIVE_BAD_CURSOR);
		return;
	}
	if (w->has_types)
		s->types = w->types;
	k->has_subscribed = true;
	s->held_until_ms = 0;
	s->owes_ready = true;
	live_wake(s->hub);
}

static void
on_text(void *arg, struct str message)
{
	struct live_socket *k = arg;
	struct live_wish wish;
	struct err e;
	enum err_code rc;

	if (k->sub == NULL)
		return;
	rc = live_wish_read(message, &wish, &e);
	live_lock(k->sub->hub);
	if (rc == ERR_OK)
		subscribe(k->sub, &wish);
	else if (!k->sub->ended)
		send_error(k->sub, e.msg);
	live_unlock(k->sub->hub);
	if (rc == ERR_OK)
		live_wish_release(&wish);
}

/* ---- the socket's other calls ---- */

static void
on_open(void *arg, struct ws *ws)
{
	struct live_socket *k = arg;

	k->ws = ws;
	if (k->sub != NULL)
		live_sub_join(k->sub);
	else
		close_socket(k, k->refusal);
}

static void
end_from_here(struct live_socket *k, enum live_end why)
{
	live_lock(k->sub->hub);
	if (!k->sub->ended) {
		k->sub->ended = true;
		close_socket(k, why);
	}
	live_unlock(k->sub->hub);
}

static void
on_full(void *arg)
{
	struct live_socket *k = arg;

	if (k->sub != NULL)
		end_from_here(k, LIVE_END_SLOW);
}

static void
on_drained(void *arg)
{
	struct live_socket *k = arg;

	if (k->sub == NULL || !atomic_exchange(&k->sub->is_filled, false))
		return;
	live_lock(k->sub->hub);
	live_wake(k->sub->hub);
	live_unlock(k->sub->hub);
}

/* The time to show a key is over. */
static int64_t
on_due(void *arg, int64_t now_ms)
{
	struct live_socket *k = arg;
	bool is_stranger;

	(void)now_ms;
	if (k->sub == NULL)
		return WIRE_NEVER;
	live_lock(k->sub->hub);
	is_stranger = k->sub->tenant == NULL;
	live_unlock(k->sub->hub);
	if (is_stranger)
		end_from_here(k, LIVE_END_UNAUTHORIZED);
	return WIRE_NEVER;
}

static void
on_closed(void *arg)
{
	struct live_socket *k = arg;

	if (k->sub != NULL)
		live_sub_free(k->sub);
	free(k);
}

static enum err_code
accept_ws(struct http_req *req, struct http_res *res, struct live_socket *k, struct err *e)
{
	static const struct ws_calls calls = { on_open, on_text, on_full, on_drained, on_due,
		on_closed };
	const struct ws_opts o = {
		.calls = &calls,
		.arg = k,
		.max_message = MAX_MESSAGE_BYTES,
		.max_queue = MAX_QUEUE_BYTES,
		.ping_ms = PING_MS,
		.due_ms = clock_mono_ms() + SHOW_KEY_MS,
	};

	return ws_accept(req, res, &o, e);
}

static struct live_socket *
socket_new(void)
{
	struct live_socket *k = calloc(1, sizeof *k);

	if (k == NULL)
		abort();
	return k;
}

enum err_code
live_socket_accept(struct http_req *req, struct http_res *res, struct live_hub *h,
    const struct live_pass *pass, struct str origin, struct err *e)
{
	static const struct live_transport transport = { send_ready, send_rows, send_resync,
		send_error, end_socket };
	struct live_socket *k = socket_new();
	enum err_code rc = live_sub_new(h, pass, &transport, k, &k->sub, e);

	k->from = limits_address_of(req);
	if (rc == ERR_OK && origin.p != NULL)
		k->sub->origin = strndup(origin.p, origin.n);
	if (rc == ERR_OK)
		rc = accept_ws(req, res, k, e);
	if (rc != ERR_OK)
		on_closed(k);
	return rc;
}

enum err_code
live_socket_refuse(struct http_req *req, struct http_res *res, enum live_end why, struct err *e)
{
	struct live_socket *k = socket_new();
	enum err_code rc;

	k->refusal = why;
	rc = accept_ws(req, res, k, e);
	if (rc != ERR_OK)
		on_closed(k);
	return rc;
}

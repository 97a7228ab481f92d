#include "common/base/log.h"

#include "common/base/clock.h"
#include "common/base/log_redact.h"
#include "common/base/own.h"
#include "common/base/utf8.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

/*
 * Room for each part of a line, after escaping. Their sum, with keys and punctuation, stays below
 * LINE_BYTES, which is what a pipe takes in one piece even when several processes write to it.
 */
enum {
	LINE_BYTES = 4096,
	NAME_ROOM = 100,
	MSG_ROOM = 3000,
	CONTEXT_ROOM = 300,
};

_Static_assert(MSG_ROOM + 2 * NAME_ROOM + 2 * CONTEXT_ROOM + 256 <= LINE_BYTES, "a line fits");

enum { REQUEST_ID_BYTES = 65, APP_ID_BYTES = 41 };

struct line {
	size_t n;
	char p[LINE_BYTES];
};

static struct log_opts opts = { .daemon = "cti", .level = LOG_INFO, .json = true };

static struct {
	pthread_mutex_t lock;
	void (*fn)(struct str line, void *arg); /* NULL: stderr */
	void *arg;
} sink = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct {
	char request_id[REQUEST_ID_BYTES], app_id[APP_ID_BYTES];
} context;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void
log_init(const struct log_opts *o)
{
	opts = *o;
}

bool
log_enabled(enum log_level level)
{
	return level >= opts.level;
}

bool
log_level_parse(struct str name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
		if (str_eq(name, str_of(level_names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* Redacted, then cut: the other way round half a secret would stay. */
static void
keep(char *to, size_t cap, const char *from)
{
	AUTO(str) char *copy = from[0] == '\0' ? NULL : strdup(from);
	size_t n;

	to[0] = '\0';
	if (copy == NULL)
		return;
	n = log_redact(copy, strlen(copy));
	n = n < cap ? n : cap - 1;
	memcpy(to, copy, n);
	to[n] = '\0';
}

void
log_context_set(const char *request_id, const char *app_id)
{
	keep(context.request_id, sizeof context.request_id, request_id);
	keep(context.app_id, sizeof context.app_id, app_id);
}

void
log_context_clear(void)
{
	context.request_id[0] = '\0';
	context.app_id[0] = '\0';
}

void
log_redirect(void (*fn)(struct str line, void *arg), void *arg)
{
	pthread_mutex_lock(&sink.lock);
	sink.fn = fn;
	sink.arg = arg;
	pthread_mutex_unlock(&sink.lock);
}

/* ---- building a line ---- */

static void
add(struct line *l, struct str s)
{
	size_t n = s.n < LINE_BYTES - l->n ? s.n : LINE_BYTES - l->n;

	memcpy(l->p + l->n, s.p, n);
	l->n += n;
}

/* The escape of one byte that may not stand in a JSON string; STR_NONE for all others. */
static struct str
escape_of(char c, char out[8])
{
	switch (c) {
	case '"': return STR("\\\"");
	case '\\': return STR("\\\\");
	case '\n': return STR("\\n");
	case '\r': return STR("\\r");
	case '\t': return STR("\\t");
	default:
		if ((unsigned char)c >= 0x20 && c != 0x7f)
			return STR_NONE;
		(void)snprintf(out, 8, "\\u%04x", (unsigned)c);
		return (struct str){ out, 6 };
	}
}

/* Length of the leading characters that stand for themselves. */
static size_t
plain_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

/* Escaped for JSON in at most `room` bytes; what does not fit is cut, which "…" shows. */
static void
add_escaped(struct line *l, struct str s, size_t room)
{
	const struct str ellipsis = STR("\xe2\x80\xa6");
	size_t end = l->n + room - ellipsis.n, n;
	char escape[8];
	struct str piece;

	while (s.n > 0) {
		n = plain_length(s);
		n = n < end - l->n ? n : end - l->n;
		if (n > 0) {
			add(l, (struct str){ s.p, n });
			s = (struct str){ s.p + n, s.n - n };
			continue;
		}
		n = utf8_length(s);
		piece = n == 0 ? UTF8_REPLACEMENT : n > 1 ? STR_NONE : escape_of(s.p[0], escape);
		if (piece.p == NULL)
			piece = (struct str){ s.p, n };
		if (l->n + piece.n > end) {
			add(l, ellipsis);
			return;
		}
		add(l, piece);
		n = n == 0 ? 1 : n;
		s = (struct str){ s.p + n, s.n - n };
	}
}

/* Text lines carry the same escapes, so that no value can start a line of its own. */
static void
add_field(struct line *l, const char *key, struct str value, size_t room)
{
	add(l, opts.json ? STR(",\"") : STR(" "));
	add(l, str_of(key));
	add(l, opts.json ? STR("\":\"") : STR("="));
	add_escaped(l, value, room);
	if (opts.json)
		add(l, STR("\""));
}

static void
add_optional(struct line *l, const char *key, const char *value, size_t room)
{
	if (value[0] != '\0')
		add_field(l, key, str_of(value), room);
}

static void
add_head(struct line *l, enum log_level level, const char *event)
{
	char ts[CLOCK_RFC3339_BYTES];

	clock_format_rfc3339(clock_wall_ms(), ts);
	if (opts.json) {
		add(l, STR("{\"ts\":\""));
		add(l, str_of(ts));
		add(l, STR("\""));
		add_field(l, "level", str_of(level_names[level]), NAME_ROOM);
		add_field(l, "daemon", str_of(opts.daemon), NAME_ROOM);
		add_field(l, "event", str_of(event), NAME_ROOM);
		return;
	}
	add(l, str_of(ts));
	add(l, STR(" "));
	add(l, str_of(level_names[level]));
	add(l, STR(" "));
	add_escaped(l, str_of(opts.daemon), NAME_ROOM);
	add(l, STR(" "));
	add_escaped(l, str_of(event), NAME_ROOM);
}

static void
add_message(struct line *l, struct str msg)
{
	if (opts.json) {
		add_field(l, "msg", msg, MSG_ROOM);
		return;
	}
	add(l, STR(" "));
	add_escaped(l, msg, MSG_ROOM);
}

static void
emit(struct line *l)
{
	void (*fn)(struct str line, void *arg);
	void *arg;

	pthread_mutex_lock(&sink.lock);
	fn = sink.fn;
	arg = sink.arg;
	pthread_mutex_unlock(&sink.lock);
	if (fn != NULL) {
		fn((struct str){ l->p, l->n }, arg);
		return;
	}
	add(l, STR("\n"));
	if (write(STDERR_FILENO, l->p, l->n) < 0)
		return; /* nobody is left to be told */
}

/* `msg` is rewritten. `e` may be NULL. */
static void
write_line(enum log_level level, const char *event, char *msg, const struct err *e)
{
	struct line l;

	l.n = 0; /* the rest is not worth zeroing */
	add_head(&l, level, event);
	add_message(&l, (struct str){ msg, log_redact(msg, strlen(msg)) });
	add_optional(&l, "request_id", context.request_id, CONTEXT_ROOM);
	add_optional(&l, "app_id", context.app_id, CONTEXT_ROOM);
	if (e != NULL) {
		add_optional(&l, "err", err_name(e->code), NAME_ROOM);
		add_optional(&l, "sqlstate", e->sqlstate, NAME_ROOM);
	}
	if (opts.json)
		add(&l, STR("}"));
	emit(&l);
}

void
log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	AUTO(str) char *msg = NULL;
	va_list ap;
	int n;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	n = vasprintf(&msg, fmt, ap);
	va_end(ap);
	if (n < 0) {
		msg = NULL; /* undefined after a failure */
		return;
	}
	write_line(level, event, msg, NULL);
}

void
log_err(enum log_level level, const char *event, const struct err *e)
{
	char msg[sizeof e->msg];

	if (!log_enabled(level))
		return;
	memcpy(msg, e->msg, sizeof msg);
	write_line(level, event, msg, e);
}

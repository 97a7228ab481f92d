#include "common/http/http_conn.h"

#include "common/base/clock.h"
#include "common/http/http_deadline.h"

#include <civetweb.h>
#include <limits.h>

/* How much, and how long, an answered peer may go on sending. */
enum { LINGER_MAX_BYTES = 8 * 1024 * 1024, LINGER_MS = 500, CHUNK_BYTES = 16 * 1024 };

static void
copy_headers(struct http_conn *c, const struct mg_request_info *ri)
{
	c->nheaders = ri->num_headers > 0 ? ri->num_headers : 0;
	for (int i = 0; i < c->nheaders; i++) {
		c->headers[i].name = str_of(ri->http_headers[i].name);
		c->headers[i].value = str_of(ri->http_headers[i].value);
	}
}

/*
 * civetweb takes a line that begins with a blank, or with its colon, for the end of the headers, and
 * drops what follows without a word: a length, perhaps, that a proxy in front went by. Behind the
 * last value that it kept stand the NULs that were its line end, and then the empty line or that one.
 * Lines that end without CR leave no empty line to be seen, and count as cut.
 */
static bool
are_headers_cut(const struct mg_request_info *ri)
{
	const char *next;

	if (ri->num_headers <= 0)
		return false;
	next = ri->http_headers[ri->num_headers - 1].value;
	next += strlen(next) + 1;
	if (*next == '\0')
		next++;
	return *next != '\r' && *next != '\n';
}

/* A peer that asked to be invited ("Expect: 100-continue") is not sending yet. */
static bool
is_sending(const struct mg_request_info *ri)
{
	bool body = false;

	for (int i = 0; i < ri->num_headers; i++) {
		struct str name = str_of(ri->http_headers[i].name);

		if (str_eq_nocase(name, STR("Expect")))
			return false;
		body = body || str_eq_nocase(name, STR("Transfer-Encoding"))
		    || (str_eq_nocase(name, STR("Content-Length"))
			&& strcmp(ri->http_headers[i].value, "0") != 0);
	}
	return body;
}

void
http_conn_open(struct http_conn *c, struct mg_connection *mg, int64_t request_ms)
{
	memset(c, 0, sizeof *c);
	c->mg = mg;
	c->deadline = mg_get_thread_pointer(mg);
	c->begun_ms = http_deadline_begin(c->deadline, request_ms);
	c->remote_addr = str_of(mg_get_request_info(mg)->remote_addr);
	c->method = c->path = STR("-");
}

void
http_conn_take_request(struct http_conn *c)
{
	const struct mg_request_info *ri = mg_get_request_info(c->mg);

	c->method = str_of(ri->request_method);
	/* local_uri_raw is the path as sent; request_uri could be an absolute one. */
	c->path = str_of(ri->local_uri_raw);
	c->query = str_of(ri->query_string);
	copy_headers(c, ri);
	c->headers_cut = are_headers_cut(ri);
	c->body_unread = is_sending(ri);
}

/* civetweb would also read on, for as long as the peer sends, when the answer is out. */
void
http_conn_close_after(struct http_conn *c)
{
	mg_disable_connection_keep_alive(c->mg);
}

void
http_conn_expect_next(struct http_conn *c, int64_t within_ms)
{
	http_deadline_start_kept(c->deadline, within_ms);
}

int
http_conn_read(struct http_conn *c, void *p, size_t n)
{
	int got;

	http_deadline_resume(c->deadline);
	got = mg_read(c->mg, p, n);
	http_deadline_pause(c->deadline);
	return got;
}

bool
http_conn_is_late(const struct http_conn *c)
{
	return http_deadline_is_over(c->deadline);
}

bool
http_conn_was_hurried(const struct http_conn *c)
{
	return http_deadline_was_hurried(c->deadline);
}

size_t
http_conn_write(struct http_conn *c, struct str bytes)
{
	int sent = bytes.n > INT_MAX ? -1 : mg_write(c->mg, bytes.p, bytes.n);

	return sent < 0 ? 0 : (size_t)sent;
}

void
http_conn_linger(struct http_conn *c)
{
	char chunk[CHUNK_BYTES];

	http_deadline_start(c->deadline, LINGER_MS);
	for (int total = 0; total < LINGER_MAX_BYTES; total += CHUNK_BYTES) {
		if (mg_read(c->mg, chunk, sizeof chunk) < CHUNK_BYTES)
			break;
	}
	http_deadline_pause(c->deadline);
}

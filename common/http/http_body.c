#include "common/http/http_body.h"

enum { CHUNK_BYTES = 16 * 1024 };

/* How the request says that its body ends. */
struct framing {
	bool chunked;
	int64_t length; /* when not chunked */
};

/* How often the header is there; *value gets the last one. */
static int
find_all(const struct http_conn *c, const char *name, struct str *value)
{
	int found = 0;

	for (int i = 0; i < c->nheaders; i++) {
		if (str_eq_nocase(c->headers[i].name, str_of(name))) {
			*value = str_trim(c->headers[i].value);
			found++;
		}
	}
	return found;
}

/* civetweb would take the first of two lengths, prefer chunks to a length, and read "5abc" as 5.
 * It has refused transfer codings other than "chunked" and "identity". */
static enum err_code
framing_find(const struct http_conn *c, struct framing *f, struct err *e)
{
	struct str length = STR_NONE, coding = STR_NONE;
	int lengths = find_all(c, "Content-Length", &length);
	int codings = find_all(c, "Transfer-Encoding", &coding);

	if (lengths + codings > 1)
		return err_set(e, ERR_INVALID, "the length of the body is given more than once");
	f->chunked = str_eq_nocase(coding, STR("chunked"));
	f->length = 0;
	if (lengths == 1 && !str_to_i64(length, 0, INT64_MAX, &f->length))
		return err_set(e, ERR_INVALID, "Content-Length is not a whole number");
	return ERR_OK;
}

static enum err_code
refuse_size(const struct buf *body, struct err *e)
{
	if (body->max == 0)
		return err_set(e, ERR_TOO_LARGE, "this request takes no body");
	return err_set(e, ERR_TOO_LARGE, "the body is longer than %zu bytes", body->max);
}

static enum err_code
refuse_partial(const struct http_conn *c, const struct buf *body, struct err *e)
{
	if (http_conn_was_hurried(c))
		return err_set(e, ERR_UNAVAILABLE, "busy, and the body came slowly");
	if (http_conn_is_late(c))
		return err_set(e, ERR_REQUEST_TIMEOUT,
		    "the body was not complete in time (%zu bytes came)", body->n);
	return err_set(e, ERR_INVALID, "the body ended early (%zu bytes came)", body->n);
}

static enum err_code
read_length(struct http_conn *c, size_t length, struct buf *body, struct err *e)
{
	char chunk[CHUNK_BYTES];

	for (size_t left = length; left > 0;) {
		size_t want = left < sizeof chunk ? left : sizeof chunk;
		int got = http_conn_read(c, chunk, want);

		/* A short count is all that civetweb tells of a body that was cut. */
		if (got > 0)
			buf_add(body, chunk, (size_t)got);
		if (got < 0 || (size_t)got < want)
			return refuse_partial(c, body, e);
		left -= want;
	}
	return ERR_OK;
}

static enum err_code
read_chunked(struct http_conn *c, struct buf *body, struct err *e)
{
	char chunk[CHUNK_BYTES];
	int got;

	while ((got = http_conn_read(c, chunk, sizeof chunk)) > 0) {
		buf_add(body, chunk, (size_t)got);
		if (body->failed)
			return refuse_size(body, e);
	}
	return got == 0 ? ERR_OK : refuse_partial(c, body, e);
}

/* civetweb does not do this for us, and some clients wait for it for seconds. */
static void
invite(struct http_conn *c)
{
	struct str expect = STR_NONE;

	if (find_all(c, "Expect", &expect) == 0 || !str_eq_nocase(expect, STR("100-continue")))
		return;
	(void)http_conn_write(c, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	c->body_unread = true;
}

enum err_code
http_body_read(struct http_conn *c, struct buf *body, struct err *e)
{
	struct framing f;
	enum err_code rc = framing_find(c, &f, e);

	if (rc != ERR_OK)
		return rc;
	if ((uint64_t)f.length > body->max)
		return refuse_size(body, e);
	if (f.chunked || f.length > 0)
		invite(c);
	rc = f.chunked ? read_chunked(c, body, e) : read_length(c, (size_t)f.length, body, e);
	c->length_read = rc == ERR_OK && !f.chunked && f.length > 0;
	/* All of it is read, or nothing more is worth waiting for. */
	if (rc != ERR_TOO_LARGE)
		c->body_unread = false;
	return rc;
}

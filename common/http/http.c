#include "common/http/http.h"

#include "common/http/http_conn.h"

#include <inttypes.h>

/* Of a peer's own words, so much is repeated in a message. */
enum { QUOTED_BYTES = 40 };

struct str
http_header_nth(const struct http_req *req, const char *name, int nth)
{
	const struct http_conn *c = req->priv;

	for (int i = 0; c != NULL && i < c->nheaders; i++) {
		if (str_eq_nocase(c->headers[i].name, str_of(name)) && nth-- == 0)
			return str_trim(c->headers[i].value);
	}
	return STR_NONE;
}

struct str
http_header(const struct http_req *req, const char *name)
{
	return http_header_nth(req, name, 0);
}

/* What a client sends for a filter that nobody filled in. */
static bool
is_absent(struct str value)
{
	return value.n == 0 || str_eq(value, STR("undefined")) || str_eq(value, STR("null"));
}

struct str
http_query(const struct http_req *req, const char *name)
{
	for (int i = 0; i < req->nquery; i++) {
		if (str_eq(req->query[i].name, str_of(name)) && !is_absent(req->query[i].value))
			return req->query[i].value;
	}
	return STR_NONE;
}

static bool
is_listed(const char *const *names, struct str name)
{
	for (; *names != NULL; names++) {
		if (str_eq(str_of(*names), name))
			return true;
	}
	return false;
}

static bool
given_before(const struct http_req *req, int i)
{
	for (int j = 0; j < i; j++) {
		if (str_eq(req->query[j].name, req->query[i].name))
			return true;
	}
	return false;
}

static enum err_code
refuse_unknown(struct str name, const char *const *allowed, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf list = BUF(sizeof e->msg);

	for (int i = 0; allowed[i] != NULL; i++)
		buf_add_fmt(&list, "%s%s", i == 0 ? "" : ", ", allowed[i]);
	if (name.n > QUOTED_BYTES)
		name.n = QUOTED_BYTES;
	return err_set(e, ERR_INVALID, "unknown query parameter \"%.*s\"; allowed: %s",
	    STR_ARG(name), list.n == 0 ? "none" : buf_c(&list));
}

enum err_code
http_query_allow(const struct http_req *req, const char *const *allowed, struct err *e)
{
	for (int i = 0; i < req->nquery; i++) {
		struct str name = req->query[i].name;

		if (!is_listed(allowed, name))
			return refuse_unknown(name, allowed, e);
		if (given_before(req, i))
			return err_set(e, ERR_INVALID, "query parameter \"%.*s\" is given twice",
			    STR_ARG(name));
	}
	return ERR_OK;
}

enum err_code
http_query_i64(const struct http_req *req, const char *name, int64_t min, int64_t max, int64_t dflt,
    int64_t *out, struct err *e)
{
	struct str value = http_query(req, name);

	if (value.p == NULL) {
		*out = dflt;
		return ERR_OK;
	}
	if (!str_to_i64(value, min, max, out))
		return err_set(e, ERR_INVALID,
		    "query parameter \"%s\" is not a whole number from %" PRId64 " to %" PRId64,
		    name, min, max);
	return ERR_OK;
}

void
http_header_add(struct http_res *res, const char *name, struct str value)
{
	if (value.n > 0
	    && (memchr(value.p, '\r', value.n) != NULL || memchr(value.p, '\n', value.n) != NULL))
		return;
	buf_add_fmt(&res->headers, "%s: ", name);
	buf_add_str(&res->headers, value);
	buf_add_c(&res->headers, "\r\n");
}

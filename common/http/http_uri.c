#include "common/http/http_uri.h"

/* -1 for a character that is no hexadecimal digit. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
needs_decoding(struct str raw, bool form)
{
	return raw.n > 0
	    && (memchr(raw.p, '%', raw.n) != NULL || (form && memchr(raw.p, '+', raw.n) != NULL));
}

/* The byte that "%hl" at raw.p[i] stands for; 0 (never a valid result) when it is no escape. */
static char
escaped_byte(struct str raw, size_t i)
{
	int high, low;

	if (raw.n - i < 3)
		return 0;
	high = hex_digit(raw.p[i + 1]);
	low = hex_digit(raw.p[i + 2]);
	return high < 0 || low < 0 ? 0 : (char)(high * 16 + low);
}

bool
http_uri_decode(struct arena *a, struct str raw, bool form, struct str *out)
{
	char *to;
	size_t n = 0;

	if (!needs_decoding(raw, form)) {
		*out = raw;
		return true;
	}
	to = arena_alloc(a, raw.n);
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (c == '%') {
			c = escaped_byte(raw, i);
			if (c == 0)
				return false;
			i += 2;
		} else if (form && c == '+') {
			c = ' ';
		}
		to[n++] = c;
	}
	*out = (struct str){ to, n };
	return true;
}

enum err_code
http_uri_query(struct http_req *req, struct str raw, struct err *e)
{
	req->nquery = 0;
	while (raw.p != NULL) {
		struct str value, item = str_cut(raw, '&', &raw), name = str_cut(item, '=', &value);
		struct http_query_item *q = &req->query[req->nquery];

		if (item.n == 0)
			continue;
		if (req->nquery == HTTP_MAX_QUERY)
			return err_set(
			    e, ERR_INVALID, "more than %d query parameters", HTTP_MAX_QUERY);
		if (!http_uri_decode(&req->arena, name, true, &q->name)
		    || !http_uri_decode(&req->arena, value, true, &q->value))
			return err_set(
			    e, ERR_INVALID, "a query parameter is not percent-encoded properly");
		req->nquery++;
	}
	return ERR_OK;
}

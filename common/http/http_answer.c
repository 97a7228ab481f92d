#include "common/http/http_answer.h"

#include "common/base/clock.h"

#include <time.h>

static const struct {
	int status;
	const char *text;
} reasons[] = { { 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" },
	{ 202, "Accepted" }, { 204, "No Content" }, { 302, "Found" }, { 303, "See Other" },
	{ 304, "Not Modified" }, { 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
#define X(name, http, retry, text) { http, text },
	ERR_TABLE(X)
#undef X
};

/* "" for a status without a row: the phrase may be empty. */
static const char *
reason(int status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "";
}

bool
http_answer_has(const struct http_res *res, const char *name)
{
	struct str rest = buf_str(&res->headers), value;

	while (rest.p != NULL) {
		struct str line = str_cut(rest, '\n', &rest);

		if (str_eq_nocase(str_cut(line, ':', &value), str_of(name)))
			return true;
	}
	return false;
}

/* These statuses never have a body, nor headers that describe one. */
static bool
has_body(int status)
{
	return status != 101 && status != 204 && status != 304;
}

/* In HTTP's own format. Not by strftime(), which looks at the time zone's file each time. */
static void
add_date(struct buf *out)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL)
		buf_add_fmt(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
		    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
}

/* A page runs nothing, loads nothing and stands in no frame, unless its handler says otherwise. */
static void
add_page_headers(const struct http_res *res, struct buf *out)
{
	static const char *const headers[][2] = {
		{ "Content-Security-Policy",
		    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
		    "form-action 'none'; frame-ancestors 'none'" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "no-referrer" },
	};

	if (res->content_type == NULL
	    || !str_starts_nocase(str_of(res->content_type), STR("text/html")))
		return;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		if (!http_answer_has(res, headers[i][0]))
			buf_add_fmt(out, "%s: %s\r\n", headers[i][0], headers[i][1]);
	}
}

static void
add_body_headers(const struct http_res *res, struct buf *out)
{
	buf_add_c(out, "Content-Type: ");
	buf_add_c(out, res->content_type == NULL ? "application/json" : res->content_type);
	buf_add_c(out, "\r\nContent-Length: ");
	buf_add_i64(out, (int64_t)res->body.n);
	buf_add_c(out, "\r\n");
}

static void
add_own_headers(const struct http_res *res, const struct http_answer_opts *o, struct buf *out)
{
	if (has_body(res->status))
		add_body_headers(res, out);
	add_date(out);
	add_page_headers(res, out);
	if (!http_answer_has(res, "Cache-Control"))
		buf_add_c(out, "Cache-Control: no-store\r\n");
	if (res->status == 503 && !http_answer_has(res, "Retry-After"))
		buf_add_c(out, "Retry-After: 1\r\n");
	if (o->hsts != NULL)
		buf_add_fmt(out, "Strict-Transport-Security: %s\r\n", o->hsts);
	buf_add_c(out, "X-Content-Type-Options: nosniff\r\nX-Request-Id: ");
	buf_add_c(out, o->request_id);
	buf_add_c(out, "\r\n");
	if (!o->keep && !http_answer_has(res, "Connection"))
		buf_add_c(out, "Connection: close\r\n");
}

void
http_answer_build(const struct http_res *res, const struct http_answer_opts *o, struct buf *out)
{
	buf_add_c(out, "HTTP/1.1 ");
	buf_add_i64(out, res->status);
	buf_add_c(out, " ");
	buf_add_c(out, reason(res->status));
	buf_add_c(out, "\r\n");
	add_own_headers(res, o, out);
	buf_add_str(out, buf_str(&res->headers));
	buf_add_c(out, "\r\n");
	if (has_body(res->status) && !o->without_body)
		buf_add_str(out, buf_str(&res->body));
}

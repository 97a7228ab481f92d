#include "apid/edge/html.h"

#define HEAD                                                                \
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">" \
	"<meta name=\"viewport\" content=\"width=device-width\"><title>"
#define STYLE                                                                          \
	"</title><style>body{font:16px/1.5 sans-serif;max-width:34em;margin:4em auto;" \
	"padding:0 1em}small{color:#666}</style></head>\n<body><h1>"

bool
html_is_wanted(const struct http_req *req)
{
	struct str item, type, parameters, rest = http_header(req, "Accept");

	while (rest.n > 0) {
		item = str_cut(rest, ',', &rest);
		type = str_cut(item, ';', &parameters);
		if (str_eq_nocase(str_trim(type), STR("text/html")))
			return true;
	}
	return false;
}

void
html_add(struct html_page *page, struct str paragraph)
{
	if (paragraph.p != NULL && page->n < HTML_MAX_PARAGRAPHS)
		page->paragraphs[page->n++] = paragraph;
}

static void
add_escaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&': buf_add_c(out, "&amp;"); break;
		case '<': buf_add_c(out, "&lt;"); break;
		case '>': buf_add_c(out, "&gt;"); break;
		case '"': buf_add_c(out, "&quot;"); break;
		case '\'': buf_add_c(out, "&#39;"); break;
		default: buf_add_char(out, text.p[i]);
		}
	}
}

void
html_write(const struct http_req *req, const struct html_page *page, struct http_res *res)
{
	struct buf *out = &res->body;

	res->content_type = "text/html; charset=utf-8";
	buf_add_c(out, HEAD);
	add_escaped(out, str_of(page->title));
	buf_add_c(out, STYLE);
	add_escaped(out, str_of(page->title));
	buf_add_c(out, "</h1>\n");
	for (int i = 0; i < page->n; i++) {
		buf_add_c(out, "<p>");
		add_escaped(out, page->paragraphs[i]);
		buf_add_c(out, "</p>\n");
	}
	buf_add_c(out, "<p><small>Request ");
	add_escaped(out, str_of(req->request_id));
	buf_add_c(out, "</small></p>\n</body></html>\n");
}

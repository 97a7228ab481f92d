/*
 * html - a small page for people: a title and some paragraphs.
 *
 * Use:      html_is_wanted() tells a browser from a program; fill a struct html_page, html_write().
 * Owns:     nothing; texts are borrowed until html_write().
 * Threads:  as the request.
 * Errors:   none: paragraphs beyond HTML_MAX_PARAGRAPHS are left out.
 * Not for:  markup: every text is escaped. Security headers come from common/http.
 */
#ifndef CTI_APID_HTML_H
#define CTI_APID_HTML_H

#include "common/http/http.h"

enum { HTML_MAX_PARAGRAPHS = 8 };

struct html_page {
	const char *title;
	struct str paragraphs[HTML_MAX_PARAGRAPHS];
	int n;
};

/* Does the request accept text/html, as only browsers say? */
bool html_is_wanted(const struct http_req *req);

void html_add(struct html_page *page, struct str paragraph); /* STR_NONE adds none */

/* The status stays as it is. */
void html_write(const struct http_req *req, const struct html_page *page, struct http_res *res);

#endif

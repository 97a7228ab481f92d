/*
 * events_page - a page of events as a request asks for it: filters, cursor, limit.
 *
 * Use:      events_page_read() from the request; events_page_end() after the last event shown.
 * Owns:     its parameters, until events_page_release.
 * Threads:  as the request.
 * Errors:   INVALID, naming the query parameter.
 */
#ifndef CTI_APID_EVENTS_PAGE_H
#define CTI_APID_EVENTS_PAGE_H

#include "apid/admin/events_db.h"

struct events_page {
	const char *list; /* bound into cursors */
	struct page page;
	struct db_params p;
	enum events_form form;
};

/* Takes every filter; `unclaimed`: none, and the verdict is given. */
CTI_MUST_CHECK enum err_code events_page_read(struct http_req *req, struct uuid app_id,
    bool unclaimed, struct events_page *out, struct err *e);
void events_page_release(struct events_page *p);

/* Of the rows read, so many are shown: one more was asked for. */
int events_page_shown(const struct events_page *p, const struct db_result *rows);

/* The members about paging, into the object that holds the list. */
void events_page_end(const struct http_req *req, const struct events_page *p, struct uuid app_id,
    const struct db_result *rows, struct json_out *j);

#endif

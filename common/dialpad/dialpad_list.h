/*
 * dialpad_list - a list of Dialpad's, page by page.
 *
 * Use:      dialpad_list_each() for a list that is wanted whole; dialpad_list_page() for one page.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   as dialpad_api.h; UPSTREAM: more than 200 pages, or a page that is no list.
 * Not for:  lists that go on for long: nobody could stop dialpad_list_each() in between.
 */
#ifndef CTI_DIALPAD_LIST_H
#define CTI_DIALPAD_LIST_H

#include "common/dialpad/dialpad_api.h"

struct dialpad_list {
	const char *name; /* as in struct dialpad_call */
	const char *path; /* with a query, or without */
	struct str token;
	int64_t patience_ms; /* as in struct dialpad_call, for each page */
	/* Called with each item, which lives until it returns. */
	enum err_code (*item)(const struct json *item, void *arg, struct err *e);
	void *arg;
};

/* One page from *cursor on (empty: the first); *cursor becomes that of the next, or empty. */
CTI_MUST_CHECK enum err_code dialpad_list_page(struct dialpad_api *api,
    const struct dialpad_list *list, struct buf *cursor, struct dialpad_answer *answer,
    struct err *e);

CTI_MUST_CHECK enum err_code dialpad_list_each(
    struct dialpad_api *api, const struct dialpad_list *list, struct err *e);

enum { DIALPAD_MAX_CURSOR_BYTES = 2048 };

#endif

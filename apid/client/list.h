/*
 * list - the lists of calls, messages and voicemails: one machinery, a table for each list.
 *
 * Use:      a *_db.c declares its filters (filter.h), makes its statements of them (list_sql.h)
 *           and fills a struct list; the handler is list_answer().
 * Owns:     nothing; tables and statements are static.
 * Threads:  safe.
 * Errors:   INVALID for the query; UNAVAILABLE and TIMEOUT from the database.
 * Not for:  single records (item.h).
 */
#ifndef CTI_APID_LIST_H
#define CTI_APID_LIST_H

#include "apid/client/filter.h"
#include "apid/client/list_sql.h"
#include "apid/client/page.h"
#include "common/json/json_out.h"
#include "common/records/record.h"

/* A page needs one of the first two and, for the total, the third. */
struct list_statements {
	struct db_stmt newest_first, oldest_first, count;
	enum db_plan plan; /* of a page; a count is planned each time */
};

/* Which statements serve a request. Those that a list has no filters for are unset. */
enum list_form {
	LIST_RECENT,        /* the default window */
	LIST_RECENT_NARROW, /* the same with filters */
	LIST_TIMED,         /* between two instants of the time by which the list is ordered */
	LIST_TIMED_NARROW,
	LIST_OTHER_TIME, /* by another time than the order's, whatever else is asked for */
	LIST_FORMS,
};

enum { LIST_EXACT_TOTAL = 10000, LIST_DEFAULT_LIMIT = 50, LIST_MAX_FILTERS = 16 };

struct list {
	const char *name; /* "calls": member of the answer; also bound into cursors */
	const struct record_kind *kind;
	int sort_field; /* CALL_sort_at */
	void (*render)(const struct record *r, struct json_out *j);
	const struct filter *filters;
	int nfilters;
	const struct list_statements *forms; /* LIST_FORMS of them; or, when whole, the only one */
	bool whole;                          /* not in parts, and without the default window */
};

enum err_code list_answer(
    struct http_req *req, struct http_res *res, const struct list *l, struct err *e);

#endif

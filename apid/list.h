/*
 * list - the lists of calls, messages and voicemails: one machinery, a table for each list.
 *
 * Use:      a *_db.c declares its filters as one X-macro table, makes the statements of it by
 *           LIST_PAGE and LIST_COUNT, and fills a struct list; the handler is list_answer().
 * Owns:     nothing; tables and statements are static.
 * Threads:  safe.
 * Errors:   INVALID for the query; UNAVAILABLE and TIMEOUT from the database.
 * Not for:  single records (item.h).
 *
 * Every statement takes the same parameters, so that page and count share them. A bound that is
 * not asked for is the first or the last instant there is, never NULL: each condition stays one
 * that an index can serve. Of two rows an index is walked backwards for newest first.
 */
#ifndef CTI_APID_LIST_H
#define CTI_APID_LIST_H

#include "apid/page.h"
#include "common/db/db.h"
#include "common/json/json_out.h"
#include "common/records/record.h"

/* $1 tenant, $2 created at or after, $3 and $4 the place to go on from, $5 limit, $6 offset, and
 * from $7 on the filters in the order of their table. */
#define LIST_PAGE(key, columns, table, where, beyond, order)                                  \
	"SELECT " key ", id" columns " FROM " table                                           \
	" WHERE app_id = $1 AND created_at >= $2 AND (sort_at, id) " beyond " ($3, $4)" where \
	" ORDER BY sort_at " order ", id " order " LIMIT $5 OFFSET $6"
#define LIST_NEWEST_FIRST(key, columns, table, where) \
	LIST_PAGE(key, columns, table, where, "<", "DESC")
#define LIST_OLDEST_FIRST(key, columns, table, where) \
	LIST_PAGE(key, columns, table, where, ">", "ASC")
/* Counting stops one above LIST_EXACT_TOTAL. */
#define LIST_COUNT(table, where)                                                                   \
	"SELECT count(*) FROM (SELECT FROM " table " WHERE app_id = $1 AND created_at >= $2" where \
	" LIMIT 10001) AS counted"

enum { LIST_EXACT_TOTAL = 10000, LIST_DEFAULT_LIMIT = 50, LIST_MAX_FILTERS = 16 };

enum list_filter_type {
	LIST_CHOICE, /* text: one of `choices`; NULL for "all" */
	LIST_SINCE,  /* an instant, included; switches the default window off */
	LIST_UNTIL,  /* an instant, excluded; switches the default window off */
};

struct list_filter {
	const char *name; /* of the query parameter */
	enum list_filter_type type;
	const char *const *choices; /* NULL-terminated */
};

/* A row of a table of filters is X(name, type, choices, condition): these two take it apart. */
#define LIST_FILTER(name, type, choices, condition) { name, LIST_##type, choices },
#define LIST_CONDITION(name, type, choices, condition) " AND " condition

struct list {
	const char *name; /* "calls": member of the answer; also bound into cursors */
	const struct record_kind *kind;
	int sort_field; /* CALL_sort_at */
	void (*render)(const struct record *r, struct json_out *j);
	const struct list_filter *filters;
	int nfilters;
	bool whole; /* not in parts, and without the default window */
	const struct db_stmt *newest_first, *oldest_first, *count;
};

enum err_code list_answer(
    struct http_req *req, struct http_res *res, const struct list *l, struct err *e);

#endif

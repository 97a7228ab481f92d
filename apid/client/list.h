/*
 * list - the lists of calls, messages and voicemails: one machinery, a table for each list.
 *
 * Use:      a *_db.c declares its filters as X-macro tables, makes its statements of them by
 *           LIST_STATEMENTS, and fills a struct list; the handler is list_answer().
 * Owns:     nothing; tables and statements are static.
 * Threads:  safe.
 * Errors:   INVALID for the query; UNAVAILABLE and TIMEOUT from the database.
 * Not for:  single records (item.h).
 *
 * Every statement takes the same parameters, used or not, so that page and count share them. A
 * bound that is not asked for is the first or the last instant there is, never NULL: each condition
 * stays one that an index can serve. The default window has statements of its own, without the
 * conditions on other times, or its count would not find the index on created_at.
 */
#ifndef CTI_APID_LIST_H
#define CTI_APID_LIST_H

#include "apid/client/page.h"
#include "common/db/db.h"
#include "common/json/json_out.h"
#include "common/records/record.h"

/* $1 tenant, $2 start of the default window, $3 and $4 the place to go on from, $5 limit, $6 offset,
 * and from $7 on the filters in the order of their table. */
#define LIST_RECENT " AND created_at >= $2"
#define LIST_PAGE(key, columns, table, where, beyond, order)                   \
	"SELECT " key ", id" columns " FROM " table " WHERE app_id = $1" where \
	" AND (sort_at, id) " beyond " ($3, $4)"                               \
	" ORDER BY sort_at " order ", id " order " LIMIT $5 OFFSET $6"
/* Counting stops one above LIST_EXACT_TOTAL. */
#define LIST_COUNT(table, where)                                              \
	"SELECT count(*) FROM (SELECT FROM " table " WHERE app_id = $1" where \
	" LIMIT 10001) AS counted"
/* clang-format off */
#define LIST_STATEMENTS(name, key, columns, table, where) {                               \
	.newest_first = { name "_desc", LIST_PAGE(key, columns, table, where, "<", "DESC") }, \
	.oldest_first = { name "_asc", LIST_PAGE(key, columns, table, where, ">", "ASC") },   \
	.count = { name "_count", LIST_COUNT(table, where) },                             \
}
/* clang-format on */

struct list_statements {
	struct db_stmt newest_first, oldest_first, count;
};

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
	bool whole;                    /* not in parts, and without the default window */
	struct list_statements recent; /* in the default window; unset when whole */
	struct list_statements timed;  /* in times of the client's choice, or in all */
};

enum err_code list_answer(
    struct http_req *req, struct http_res *res, const struct list *l, struct err *e);

#endif

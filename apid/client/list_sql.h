/*
 * list_sql - the shapes of the statements behind the lists, as text made at compile time.
 *
 * Use:      a *_db.c makes a struct list_statements of one of the shapes and a table, which is a
 *           macro of three parts: "call_id", CALL_COLUMNS, "calls".
 * Owns:     nothing.
 * Threads:  constants.
 * Errors:   none.
 * Not for:  statements that read a single record (item.h).
 *
 * Every statement takes the same parameters, used or not, so that page and count share them:
 * $1 tenant, $2 start of the default window, $3 and $4 the place to go on from, $5 limit, $6 offset,
 * and from $7 on the filters in the order of their table. An instant that is not asked for is the
 * first or the last there is, never NULL: each condition stays one that an index can serve.
 *
 * The shapes keep the planner from what costs a tenant's whole history: walking the rows in their
 * order, in the hope of finding enough that also lie in a window of another time than the order's.
 * A statement without filters is planned once (DB_PLAN_ONCE), one with filters for its parameters:
 * the planner then drops those that are absent, and knows a rare number from a frequent one.
 */
#ifndef CTI_APID_LIST_SQL_H
#define CTI_APID_LIST_SQL_H

#include "common/records/record.h"

/* clang-format off */
#define LIST_SELECT_(key, columns, table) "SELECT " key ", id" columns " FROM " table
#define LIST_BEYOND_(beyond) " AND (sort_at, id) " beyond " ($3, $4)"
#define LIST_ORDER_(order) " ORDER BY sort_at " order ", id " order
#define LIST_PART_(order) LIST_ORDER_(order) " LIMIT $5 OFFSET $6"

/*
 * Bounds of the order's own time, for statements that are planned once: of two plain comparisons
 * with unknown instants the planner expects next to nothing, and would sort it.
 */
#define LIST_SINCE(t) " AND (sort_at, id) >= (" t ", '00000000-0000-0000-0000-000000000000')"
#define LIST_UNTIL(t) " AND (sort_at, id) < (" t ", '00000000-0000-0000-0000-000000000000')"

/* Rows in their order, as far as the page goes: for bounds of the order's own time. */
#define LIST_IN_ORDER(key, columns, table, where, beyond, order)     \
	LIST_SELECT_(key, columns, table)                            \
	" WHERE app_id = $1" where LIST_BEYOND_(beyond)              \
	LIST_PART_(order)

/*
 * Rows created here in the default window. Nearly all of them also happened within it, or little
 * before: an hour is allowed. Those that came later than that after their time have an index of
 * their own. All of the window are taken from it before anything else is asked of them, which
 * OFFSET 0 makes the planner do: it would look for them in the order of their time.
 */
#define LIST_CREATED " AND created_at >= $2"
#define LIST_EDGE_ "$2 - interval '1 hour'"
#define LIST_IN_WINDOW(key, columns, table, where, beyond, order)    \
	"(" LIST_SELECT_(key, columns, table)                        \
	" WHERE app_id = $1" where LIST_CREATED LIST_BEYOND_(beyond) \
	LIST_SINCE(LIST_EDGE_)                                       \
	LIST_ORDER_(order) " LIMIT $5 + $6)"                         \
	" UNION ALL "                                                \
	LIST_SELECT_(key, columns, "(SELECT * FROM " table)          \
	" WHERE app_id = $1" LIST_CREATED                            \
	" AND created_at - sort_at > interval '1 hour'"              \
	" OFFSET 0) AS late"                                         \
	" WHERE sort_at < " LIST_EDGE_ where LIST_BEYOND_(beyond)    \
	LIST_PART_(order)

/* All rows of a window of another time, then in order: first the keys, which the index has. */
#define LIST_SCATTERED(key, columns, table, where, beyond, order)    \
	LIST_SELECT_(key, columns, table)                            \
	" WHERE app_id = $1 AND id = ANY (ARRAY("                    \
	"SELECT id FROM (SELECT sort_at, id FROM " table             \
	" WHERE app_id = $1" where LIST_BEYOND_(beyond)              \
	" OFFSET 0) AS found"                                        \
	LIST_PART_(order)                                            \
	"))" LIST_ORDER_(order)

/* Counting stops one above LIST_EXACT_TOTAL. */
#define LIST_COUNT_(key, columns, table, where)                      \
	"SELECT count(*) FROM (SELECT FROM " table                   \
	" WHERE app_id = $1" where " LIMIT 10001) AS counted"

#define LIST_STATEMENTS(name, how, shape, table, where, counted) {          \
	.newest_first = { name "_desc", shape(table, where, "<", "DESC") }, \
	.oldest_first = { name "_asc", shape(table, where, ">", "ASC") },   \
	.count = { name "_count", LIST_COUNT_(table, counted) },            \
	.plan = how,                                                        \
}
/* clang-format on */

#endif

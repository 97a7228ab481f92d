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
 *   $1 tenant, $2 start of the default window, $3 and $4 the place where the page begins,
 *   $5 limit, $6 offset, $7 and $8 the earliest and the latest time in the list's order,
 *   $9 and $10 the cursor, and from $11 on the filters in the order of their table.
 * An instant that is not asked for is the first or the last there is, never NULL: each condition
 * stays one that an index can serve. A page has one bound where it begins and one where it must end:
 * of two on the same side an index takes any, and reads the rest of the history up to the other.
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
#define LIST_ORDER_(order) " ORDER BY sort_at " order ", id " order
#define LIST_PART_(order) LIST_ORDER_(order) " LIMIT $5 OFFSET $6"
#define LIST_BEGIN_(beyond) " AND (sort_at, id) " beyond " ($3, $4)"
#define LIST_BETWEEN " AND sort_at >= $7 AND sort_at < $8"
#define LIST_BETWEEN_ORDERED LIST_BETWEEN " ORDER BY sort_at"

/* Rows in their order, as far as the page goes: for bounds of the order's own time. */
#define LIST_IN_ORDER(key, columns, table, where, beyond, order, end) \
	LIST_SELECT_(key, columns, table)                             \
	" WHERE app_id = $1" where LIST_BEGIN_(beyond) end            \
	LIST_PART_(order)

/*
 * Rows created here in the default window. Nearly all of them also happened within it, or little
 * before: $7 allows an hour. Those that came later than that after their time have an index of
 * their own. All of the window are taken from it before anything else is asked of them, which
 * OFFSET 0 makes the planner do: it would look for them in the order of their time.
 */
#define LIST_CREATED " AND created_at >= $2"
#define LIST_CREATED_ORDERED LIST_CREATED " ORDER BY created_at"
#define LIST_IN_WINDOW(key, columns, table, where, beyond, order, end) \
	"(" LIST_SELECT_(key, columns, table)                          \
	" WHERE app_id = $1" where LIST_CREATED LIST_BEGIN_(beyond) end \
	LIST_ORDER_(order) " LIMIT $5 + $6)"                           \
	" UNION ALL "                                                  \
	LIST_SELECT_(key, columns, "(SELECT * FROM " table)            \
	" WHERE app_id = $1" LIST_CREATED                              \
	" AND created_at - sort_at > interval '1 hour'"                \
	" OFFSET 0) AS late"                                           \
	" WHERE sort_at < $7" where                                    \
	" AND (sort_at, id) " beyond " ($9, $10)"                      \
	LIST_PART_(order)

/* All rows of a window of another time, then in order: first the keys, which the index has. */
#define LIST_SCATTERED(key, columns, table, where, beyond, order, end) \
	LIST_SELECT_(key, columns, table)                              \
	" WHERE app_id = $1 AND id = ANY (ARRAY("                      \
	"SELECT id FROM (SELECT sort_at, id FROM " table               \
	" WHERE app_id = $1" where LIST_BEGIN_(beyond) end             \
	" OFFSET 0) AS found"                                          \
	LIST_PART_(order)                                              \
	"))" LIST_ORDER_(order)

/* Counting stops one above LIST_EXACT_TOTAL. A count that is planned once says in which order it counts,
 * for the sake of the index that has this order: not knowing the times, the planner would take any. */
#define LIST_COUNT_(key, columns, table, where)                        \
	"SELECT count(*) FROM (SELECT FROM " table                     \
	" WHERE app_id = $1" where " LIMIT 10001) AS counted"

/* The two directions differ in what is beyond a place, the order, and the bound at the end. */
#define LIST_STATEMENTS(name, how, shape, table, where, counted) { \
	.newest_first = { name "_desc", shape(table, where, "<", "DESC", " AND sort_at >= $7") }, \
	.oldest_first = { name "_asc", shape(table, where, ">", "ASC", " AND sort_at < $8") }, \
	.count = { name "_count", LIST_COUNT_(table, counted) }, \
	.plan = how, \
}
/* clang-format on */

#endif

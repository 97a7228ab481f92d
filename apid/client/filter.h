/*
 * filter - the query parameters that narrow a list, each a condition of its statements.
 *
 * Use:      a *_db.c declares its filters as X-macro tables of X(name, type, choices, condition)
 *           and takes them apart by FILTER_ROW and FILTER_CONDITION; list.c binds them.
 * Owns:     nothing; tables are static.
 * Threads:  safe.
 * Errors:   INVALID, naming the parameter.
 * Not for:  the part of a list that is shown (page.h).
 */
#ifndef CTI_APID_FILTER_H
#define CTI_APID_FILTER_H

#include "common/db/db.h"
#include "common/http/http.h"

enum filter_type {
	FILTER_CHOICE, /* text: one of `choices`; NULL for "all" */
	FILTER_NUMBER, /* text: a telephone number as Dialpad writes it */
	FILTER_ID,     /* bigint: an id of Dialpad's */

	/* Instants, since (included) and until (excluded), of the time by which the list is ordered
	 * and of another. Any of them switches the default window off. The former two have no condition
	 * of their own: they say where a list begins and ends. */
	FILTER_SINCE,
	FILTER_UNTIL,
	FILTER_OTHER_SINCE,
	FILTER_OTHER_UNTIL,
};

struct filter {
	const char *name; /* of the query parameter */
	enum filter_type type;
	const char *const *choices; /* NULL-terminated */
};

#define FILTER_ROW(name, type, choices, condition) { name, FILTER_##type, choices },
#define FILTER_CONDITION(name, type, choices, condition) " AND " condition

/* The first and the last millisecond that a timestamptz can hold: bounds that bound nothing. */
#define FILTER_FIRST_MS INT64_C(-210866803200000)
#define FILTER_LAST_MS INT64_C(9224318015999999)

/* What a request asks for. */
struct filter_use {
	bool narrows; /* by anything but time */
	bool times;   /* by a time, the list's own or another */
	bool others;  /* by another time */
	/* Of the list's own time; FILTER_FIRST_MS and FILTER_LAST_MS when absent. */
	int64_t since;
	int64_t until;
};

CTI_MUST_CHECK enum err_code filters_use(const struct http_req *req, const struct filter *filters,
    int n, struct filter_use *out, struct err *e);

/* Adds a parameter for each filter that is a condition, whether it is given or not. */
CTI_MUST_CHECK enum err_code filters_bind(
    struct http_req *req, const struct filter *filters, int n, struct db_params *p, struct err *e);

#endif

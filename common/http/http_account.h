/*
 * http_account - one answered request in the metrics and in the log.
 *
 * Use:      private to common/http, once per answer, after it went out.
 * Owns:     nothing.
 * Threads:  safe; the log line has the thread's context.
 * Errors:   none.
 * Not for:  failures (they are logged where they are known).
 */
#ifndef CTI_HTTP_ACCOUNT_H
#define CTI_HTTP_ACCOUNT_H

#include "common/http/http.h"

struct http_account {
	const struct http_route *route; /* NULL: none was found */
	const char *unrouted;           /* then its name */
	struct str method;
	int64_t begun_us; /* monotonic */
	bool is_shed;     /* refused for the sake of the others: its time means nothing */
	bool is_logged;
};

void http_account_answer(const struct http_account *a, int status, size_t sent);

#endif

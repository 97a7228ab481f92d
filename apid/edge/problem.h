/*
 * problem - error answers of apid that say more than the dispatcher's.
 *
 * Use:      problem_of_error as the server's http_error_fn; problem_unavailable() in a handler that
 *           cannot serve because the operator left something unset, and should say what.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  failures inside: return an error, its message stays in the log.
 */
#ifndef CTI_APID_PROBLEM_H
#define CTI_APID_PROBLEM_H

#include "common/http/http_server.h"

void problem_of_error(const struct http_req *req, const struct err *e, struct http_res *res);

/* problem+json of this class, with a text for the caller whatever the class. */
void problem_write(
    const struct http_req *req, struct http_res *res, enum err_code code, struct str text);

/* 503 whose `error` and `detail` are `text`, for all to read. */
void problem_unavailable(const struct http_req *req, struct http_res *res, const char *text);

#endif

/*
 * tasks - work that an admin asks for and workerd does: rows of the table `jobs`.
 *
 * Use:      tasks_queue() in the transaction that writes the audit; tasks_render() for the answer;
 *           tasks_list() is the handler of a list of them.
 * Owns:     results are the caller's.
 * Threads:  as the request.
 * Errors:   NOT_FOUND: there is no such app. UNAVAILABLE and TIMEOUT from the database.
 * Not for:  secrets: parameters can be read by people with access to the database.
 */
#ifndef CTI_APID_TASKS_H
#define CTI_APID_TASKS_H

#include "common/db/db.h"
#include "common/http/http.h"
#include "common/json/json_out.h"

struct task {
	const char *kind; /* as in workerd's table of requests: "replay" */
	struct uuid app_id;
	struct str key; /* tells several of a kind apart; the one with the same key begins anew */
	struct str params; /* a JSON object */
};

/* *out gets the row. */
CTI_MUST_CHECK enum err_code tasks_queue(
    struct db_conn *c, const struct task *t, struct db_result *out, struct err *e);

/* The members of a task, into an object that is open. */
void tasks_render(const struct db_result *r, int row, struct json_out *j);

/* The newest hundred of a kind, as the array `name`; of the app, or with the nil id of all apps. */
CTI_MUST_CHECK enum err_code tasks_list(const struct http_req *req, struct http_res *res,
    const char *kind, struct uuid app_id, const char *name, struct err *e);

#endif

/*
 * request_json - small things that the parameters of requests have in common.
 *
 * Use:      at the beginning of a request_<kind>().
 * Owns:     what is read lives in the arena.
 * Threads:  one.
 * Errors:   INVALID: the row in `jobs` was not written by apid. CONFLICT: the app is gone.
 */
#ifndef CTI_REQUEST_JSON_H
#define CTI_REQUEST_JSON_H

#include "common/json/json_in.h"
#include "common/json/json_out.h"
#include "workerd/jobs/request.h"

CTI_MUST_CHECK enum err_code request_params(
    const struct request *q, struct arena *a, const struct json **out, struct err *e);

/* The array of ids under `key`; empty when there is none. `out` is initialised and the caller's. */
CTI_MUST_CHECK enum err_code request_uuids(
    const struct json *params, const char *key, struct db_array *out, struct err *e);

/* Nothing is done any more for an app that was deleted. */
CTI_MUST_CHECK enum err_code request_check_app(
    struct job_run *r, struct uuid app_id, struct err *e);

#endif

/*
 * body - the JSON object in an admin's request, field by field.
 *
 * Use:      body_parse() with the names of all fields, then a getter for each.
 * Owns:     nothing; the document is the caller's, strings are borrowed from it.
 * Threads:  as the document.
 * Errors:   INVALID, naming the field.
 * Not for:  answers of others (json_in.h).
 *
 * An empty body counts as {}, and null as an absent field.
 */
#ifndef CTI_APID_BODY_H
#define CTI_APID_BODY_H

#include "common/http/http.h"
#include "common/json/json_in.h"

/* `fields` ends with NULL; any other field is refused. */
CTI_MUST_CHECK enum err_code body_parse(
    const struct http_req *req, const char *const *fields, struct json **out, struct err *e);

bool body_has(const struct json *body, const char *field);

/* 1 to max_chars printable characters once outer blanks are gone; STR_NONE when absent. */
CTI_MUST_CHECK enum err_code body_text(
    const struct json *body, const char *field, size_t max_chars, struct str *out, struct err *e);

/* A whole number from min to max; `dflt` when absent. */
CTI_MUST_CHECK enum err_code body_i64(const struct json *body, const char *field, int64_t min,
    int64_t max, int64_t dflt, int64_t *out, struct err *e);

/* Untouched when absent. */
CTI_MUST_CHECK enum err_code body_bool(
    const struct json *body, const char *field, bool *given, bool *out, struct err *e);

/* An array, NULL when absent. */
CTI_MUST_CHECK enum err_code body_array(
    const struct json *body, const char *field, const struct json **out, struct err *e);

#endif

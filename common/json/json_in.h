/*
 * json_in - reading JSON that somebody else wrote: limits first, then typed getters.
 *
 * Use:      AUTO(json) struct json *doc = NULL; json_parse(text, &doc, e); json_get_i64(obj, "id", &id).
 *           json_parse_in() for a document that lives and dies with an arena, without json_free().
 * Owns:     the document; views handed out live as long as it.
 * Threads:  one thread at a time per document.
 * Errors:   INVALID: not JSON, nested deeper than JSON_MAX_DEPTH, or followed by other text.
 *           Getters: false when the key is absent, null, or of another type.
 * Not for:  re-printing a payload: keep the original bytes.
 *
 * Keys are case-sensitive; of duplicate keys the first counts. "\u0000" and half a surrogate
 * pair read as U+FFFD, because neither a C string nor PostgreSQL's text can hold them.
 */
#ifndef CTI_JSON_IN_H
#define CTI_JSON_IN_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/own.h"
#include "common/base/str.h"

enum { JSON_MAX_DEPTH = 64 };

struct json; /* a value, anywhere in a document */

CTI_MUST_CHECK enum err_code json_parse(struct str text, struct json **out, struct err *e);
void json_free(struct json *doc);
CTI_MUST_CHECK enum err_code json_parse_in(
    struct arena *a, struct str text, const struct json **out, struct err *e);
OWN_DEFINE(json, struct json *, NULL, json_free)

bool json_is_obj(const struct json *v);
bool json_is_arr(const struct json *v);
bool json_is_str(const struct json *v);
bool json_is_num(const struct json *v);
bool json_is_null(const struct json *v);

const struct json *json_get(const struct json *obj, const char *key); /* NULL when absent */
const struct json *json_find(const struct json *obj, struct str key); /* the same */
const struct json *json_first(const struct json *container); /* items of an array or object */
const struct json *json_next(const struct json *item);
const char *json_key(const struct json *item); /* of an object's item */

/* Values: a number or a string of digits counts as an integer; a number is whole and below ±2^53,
 * a string within int64. */
bool json_to_i64(const struct json *v, int64_t *out);
bool json_to_f64(const struct json *v, double *out);
bool json_to_bool(const struct json *v, bool *out);
bool json_to_str(const struct json *v, struct str *out);

bool json_get_i64(const struct json *obj, const char *key, int64_t *out);
bool json_get_f64(const struct json *obj, const char *key, double *out);
bool json_get_bool(const struct json *obj, const char *key, bool *out);
bool json_get_str(const struct json *obj, const char *key, struct str *out);

#endif

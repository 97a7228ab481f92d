/*
 * json_copy - a parsed value written again, in our canonical form.
 *
 * Use:      for small parts of a payload that a record keeps as JSON.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none: what is nested deeper than 16 levels becomes null.
 * Not for:  a whole payload: its original bytes are kept elsewhere.
 */
#ifndef CTI_JSON_COPY_H
#define CTI_JSON_COPY_H

#include "common/json/json_in.h"
#include "common/json/json_out.h"

void json_copy(const struct json *v, struct json_out *j);

#endif

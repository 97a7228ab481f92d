/*
 * id_list - a list of our ids in an admin's request.
 *
 * Use:      id_list_read() from the body; id_list_write() into a task's parameters.
 * Owns:     nothing; the array is the caller's, initialised as one of DB_UUID.
 * Threads:  as the request.
 * Errors:   INVALID, naming the field: no id, more than a thousand, or one of them twice.
 */
#ifndef CTI_APID_ID_LIST_H
#define CTI_APID_ID_LIST_H

#include "common/db/db.h"
#include "common/json/json_in.h"
#include "common/json/json_out.h"

enum { ID_LIST_MAX = 1000 };

/* Empty when the field is absent; an empty list is refused. */
CTI_MUST_CHECK enum err_code id_list_read(
    const struct json *body, const char *field, struct db_array *out, struct err *e);

/* A list that was read. */
void id_list_write(const struct json *list, struct json_out *j);

#endif

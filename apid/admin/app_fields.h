/*
 * app_fields - what an admin may say of an app, read from the body of a request.
 *
 * Use:      app_fields_read() once body_parse() has accepted APP_FIELDS.
 * Owns:     the two arrays, until app_fields_release; texts are borrowed from the body.
 * Threads:  as the request.
 * Errors:   INVALID, naming the field.
 * Not for:  answers (apps.c).
 */
#ifndef CTI_APID_APP_FIELDS_H
#define CTI_APID_APP_FIELDS_H

#include "common/db/db.h"
#include "common/json/json_in.h"

struct app_fields {
	struct str name;            /* STR_NONE when absent */
	bool has_active, is_active; /* without has_… absent, here and below */
	bool has_bare, accepts_bare;
	bool has_return_urls, has_origins;
	struct db_array return_urls, origins; /* of DB_TEXT; empty when absent */
};

/* Those of a new app, and those that can be changed. Each ends with NULL. */
extern const char *const APP_FIELDS_NEW[];
extern const char *const APP_FIELDS[];

void app_fields_init(struct app_fields *f);
void app_fields_release(struct app_fields *f);

CTI_MUST_CHECK enum err_code app_fields_read(
    const struct json *body, struct app_fields *out, struct err *e);

#endif

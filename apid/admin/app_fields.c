#include "apid/admin/app_fields.h"

#include "apid/edge/body.h"
#include "common/base/origin.h"

enum { MAX_NAME_CHARS = 200, MAX_ITEMS = 20, MAX_URL_CHARS = 2000 };

const char *const APP_FIELDS_NEW[] = { "name", "allowed_return_urls", "allowed_origins", NULL };
const char *const APP_FIELDS[] = { "name", "is_active", "accepts_bare", "allowed_return_urls",
	"allowed_origins", NULL };

void
app_fields_init(struct app_fields *f)
{
	*f = (struct app_fields){ .name = STR_NONE };
	db_array_init(&f->return_urls, DB_TEXT);
	db_array_init(&f->origins, DB_TEXT);
}

void
app_fields_release(struct app_fields *f)
{
	db_array_release(&f->return_urls);
	db_array_release(&f->origins);
}

/* An http or https URL with a host, without spaces or a fragment. */
static bool
is_url(struct str s)
{
	struct str rest = STR_NONE;

	if (s.n > MAX_URL_CHARS || memchr(s.p, '#', s.n) != NULL)
		return false;
	if (str_starts(s, STR("https://")))
		rest = (struct str){ s.p + 8, s.n - 8 };
	else if (str_starts(s, STR("http://")))
		rest = (struct str){ s.p + 7, s.n - 7 };
	if (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '?')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' '
		    || s.p[i] == 0x7f) /* bytes above 0x7f are negative: refused too */
			return false;
	}
	return true;
}

/* The items of an array of texts that are all `what`, as is() says. */
static enum err_code
read_list(const struct json *body, const char *field, bool (*is)(struct str), const char *what,
    struct db_array *out, bool *given, struct err *e)
{
	const struct json *list;
	enum err_code rc = body_array(body, field, &list, e);

	if (rc != ERR_OK || list == NULL)
		return rc;
	for (const struct json *v = json_first(list); v != NULL; v = json_next(v)) {
		struct str s;

		if (!json_to_str(v, &s) || !is(s))
			return err_set(e, ERR_INVALID, "field \"%s\" holds something that is no %s",
			    field, what);
		if (out->n == MAX_ITEMS)
			return err_set(e, ERR_INVALID, "field \"%s\" has more than %d items", field,
			    MAX_ITEMS);
		db_array_bytes(out, s);
	}
	*given = true;
	return ERR_OK;
}

enum err_code
app_fields_read(const struct json *body, struct app_fields *out, struct err *e)
{
	enum err_code rc = body_text(body, "name", MAX_NAME_CHARS, &out->name, e);

	if (rc == ERR_OK)
		rc = body_bool(body, "is_active", &out->has_active, &out->is_active, e);
	if (rc == ERR_OK)
		rc = body_bool(body, "accepts_bare", &out->has_bare, &out->accepts_bare, e);
	if (rc == ERR_OK)
		rc = read_list(body, "allowed_return_urls", is_url, "http or https URL",
		    &out->return_urls, &out->has_return_urls, e);
	if (rc == ERR_OK)
		rc = read_list(body, "allowed_origins", origin_is_valid,
		    "origin like https://app.example, without a path", &out->origins,
		    &out->has_origins, e);
	return rc;
}

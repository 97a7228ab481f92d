#include "apid/live/wish.h"

#include "apid/live/types.h"

enum { QUOTED_CHARS = 40 };

static enum err_code
read_types(const struct json *list, struct live_wish *w, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (json_is_null(list))
		return ERR_OK;
	if (!json_is_arr(list))
		return err_set(e, ERR_INVALID, "\"types\" is not an array");
	w->has_types = true;
	for (const struct json *v = json_first(list); v != NULL && rc == ERR_OK; v = json_next(v)) {
		struct str name;

		if (!json_is_str(v) || !json_to_str(v, &name))
			return err_set(
			    e, ERR_INVALID, "\"types\" holds something else than a text");
		rc = live_types_add(&w->types, name, e);
	}
	if (rc == ERR_OK && w->types == 0)
		w->types = LIVE_TYPES_ALL;
	return rc;
}

static enum err_code
read_text(const struct json *v, const char *name, struct str *out, struct err *e)
{
	if (json_is_null(v))
		return ERR_OK;
	if (!json_is_str(v) || !json_to_str(v, out))
		return err_set(e, ERR_INVALID, "\"%s\" is not a text", name);
	return ERR_OK;
}

static enum err_code
read_member(const struct json *v, struct live_wish *w, struct err *e)
{
	const char *name = json_key(v);
	struct str type = STR_NONE;

	if (strcmp(name, "types") == 0)
		return read_types(v, w, e);
	if (strcmp(name, "after") == 0)
		return read_text(v, name, &w->after, e);
	if (strcmp(name, "api_key") == 0)
		return read_text(v, name, &w->api_key, e);
	if (strcmp(name, "type") != 0)
		return err_set(e, ERR_INVALID, "unknown member \"%.*s\"", QUOTED_CHARS, name);
	if (!json_is_str(v) || !json_to_str(v, &type) || !str_eq(type, STR("subscribe")))
		return err_set(e, ERR_INVALID, "the only \"type\" that is understood is subscribe");
	return ERR_OK;
}

static enum err_code
read_members(struct live_wish *w, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (!json_is_obj(w->doc) || json_get(w->doc, "type") == NULL)
		return err_set(e, ERR_INVALID, "a message is an object with a \"type\"");
	for (const struct json *v = json_first(w->doc); v != NULL && rc == ERR_OK; v = json_next(v))
		rc = read_member(v, w, e);
	return rc;
}

enum err_code
live_wish_read(struct str message, struct live_wish *out, struct err *e)
{
	struct live_wish w = { .types = 0 };
	enum err_code rc = json_parse(message, &w.doc, e);

	if (rc == ERR_OK)
		rc = read_members(&w, e);
	if (rc == ERR_OK)
		*out = w;
	else
		live_wish_release(&w);
	return rc;
}

void
live_wish_release(struct live_wish *w)
{
	if (w->doc != NULL)
		json_free(w->doc);
	w->doc = NULL;
}

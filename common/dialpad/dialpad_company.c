#include "common/dialpad/dialpad_company.h"

#include "common/dialpad/dialpad_list.h"

/* A person waits for the answer; the limit of Dialpad is one of requests per second. */
enum { PATIENCE_MS = 3000 };

static bool
get_bool(const struct json *doc, const char *key)
{
	bool value = false;

	return json_get_bool(doc, key, &value) && value;
}

static struct str
get_text(const struct json *doc, const char *key, struct arena *a)
{
	struct str text = STR_NONE;

	return json_get_str(doc, key, &text) && text.n > 0 ? arena_dup(a, text) : STR_NONE;
}

static struct str
first_email(const struct json *doc, struct arena *a)
{
	const struct json *list = json_get(doc, "emails");
	struct str text = STR_NONE;

	if (list != NULL && json_is_arr(list) && json_first(list) != NULL
	    && json_to_str(json_first(list), &text) && text.n > 0)
		return arena_dup(a, text);
	return STR_NONE;
}

enum err_code
dialpad_me(struct dialpad_api *api, struct str token, struct arena *a, struct dialpad_user *out,
    struct err *e)
{
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer answer = { .status = 0 };
	const struct dialpad_call call = { .name = "users.get",
		.method = "GET",
		.path = "/api/v2/users/me",
		.token = token,
		.patience_ms = PATIENCE_MS };
	enum err_code rc = dialpad_call(api, &call, &answer, e);
	struct dialpad_user u;

	if (rc != ERR_OK)
		return rc;
	if (!json_get_i64(answer.json, "company_id", &u.company_id))
		return dialpad_incomplete(&call, "company_id", e);
	if (!json_get_i64(answer.json, "id", &u.id))
		return dialpad_incomplete(&call, "id", e);
	u.name = get_text(answer.json, "display_name", a);
	u.email = first_email(answer.json, a);
	u.is_admin = get_bool(answer.json, "is_admin") || get_bool(answer.json, "is_super_admin");
	*out = u;
	return ERR_OK;
}

enum err_code
dialpad_company(struct dialpad_api *api, struct str token, struct arena *a,
    struct dialpad_company *out, struct err *e)
{
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer answer = { .status = 0 };
	const struct dialpad_call call = { .name = "company.get",
		.method = "GET",
		.path = "/api/v2/company",
		.token = token,
		.patience_ms = PATIENCE_MS };
	enum err_code rc = dialpad_call(api, &call, &answer, e);
	struct dialpad_company c;

	if (rc != ERR_OK)
		return rc;
	if (!json_get_i64(answer.json, "id", &c.id))
		return dialpad_incomplete(&call, "id", e);
	c.name = get_text(answer.json, "name", a);
	*out = c;
	return ERR_OK;
}

/* ---- offices ---- */

static enum err_code
add_office(const struct json *item, void *arg, struct err *e)
{
	struct dialpad_offices *o = arg;

	if (o->n == DIALPAD_MAX_OFFICES)
		return err_set(e, ERR_UPSTREAM, "Dialpad, offices.list: more than %d offices",
		    DIALPAD_MAX_OFFICES);
	if (!json_get_i64(item, "id", &o->ids[o->n]))
		return err_set(e, ERR_UPSTREAM, "Dialpad, offices.list: an office has no id");
	o->n++;
	return ERR_OK;
}

enum err_code
dialpad_offices(struct dialpad_api *api, struct str token, struct arena *a,
    struct dialpad_offices *out, struct err *e)
{
	struct dialpad_offices o = { .ids = arena_new(a, int64_t, DIALPAD_MAX_OFFICES) };
	const struct dialpad_list list = { "offices.list", "/api/v2/offices", token, PATIENCE_MS,
		add_office, &o };
	enum err_code rc = dialpad_list_each(api, &list, e);

	if (rc == ERR_OK)
		*out = o;
	return rc;
}

#include "common/dialpad/dialpad_company.h"

/* A person waits for the answer; the limit of Dialpad is one of requests per second. */
enum { PATIENCE_MS = 3000, MAX_PAGES = 200 };

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

/* Adds those of one page; *cursor becomes that of the next, or STR_NONE. */
static enum err_code
add_page(const struct dialpad_call *call, const struct json *doc, struct arena *a,
    struct dialpad_offices *o, struct str *cursor, struct err *e)
{
	const struct json *items = json_get(doc, "items");

	*cursor = get_text(doc, "cursor", a);
	if (items == NULL || !json_is_arr(items) || json_first(items) == NULL) {
		*cursor = STR_NONE;
		return ERR_OK;
	}
	for (const struct json *i = json_first(items); i != NULL; i = json_next(i)) {
		if (o->n == DIALPAD_MAX_OFFICES)
			return err_set(e, ERR_UPSTREAM, "Dialpad, %s: more than %d offices",
			    call->name, DIALPAD_MAX_OFFICES);
		if (!json_get_i64(i, "id", &o->ids[o->n]))
			return dialpad_incomplete(call, "id of an office", e);
		o->n++;
	}
	return ERR_OK;
}

static enum err_code
fetch_page(struct dialpad_api *api, struct str token, struct arena *a, struct dialpad_offices *o,
    struct str *cursor, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(DIALPAD_MAX_PATH_BYTES);
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer answer = { .status = 0 };
	struct dialpad_call call = {
		.name = "offices.list", .method = "GET", .token = token, .patience_ms = PATIENCE_MS
	};
	enum err_code rc;

	buf_add_c(&path, "/api/v2/offices");
	if (cursor->p != NULL)
		dialpad_path_add(&path, "cursor", *cursor);
	call.path = buf_c(&path);
	rc = dialpad_call(api, &call, &answer, e);
	return rc == ERR_OK ? add_page(&call, answer.json, a, o, cursor, e) : rc;
}

enum err_code
dialpad_offices(struct dialpad_api *api, struct str token, struct arena *a,
    struct dialpad_offices *out, struct err *e)
{
	struct dialpad_offices o = { .ids = arena_new(a, int64_t, DIALPAD_MAX_OFFICES) };
	struct str cursor = STR_NONE;

	for (int page = 0; page < MAX_PAGES; page++) {
		enum err_code rc = fetch_page(api, token, a, &o, &cursor, e);

		if (rc != ERR_OK)
			return rc;
		if (cursor.p == NULL) {
			*out = o;
			return ERR_OK;
		}
	}
	return err_set(e, ERR_UPSTREAM, "Dialpad, offices.list: more than %d pages", MAX_PAGES);
}

#include "common/dialpad/dialpad_list.h"

enum { MAX_PAGES = 200 };

/* A page without items is the last one, whatever its cursor says. */
static enum err_code
read_page(const struct dialpad_call *call, const struct json *page, const struct dialpad_list *list,
    struct buf *cursor, struct err *e)
{
	const struct json *items = json_get(page, "items");
	struct str next = STR_NONE;
	enum err_code rc = ERR_OK;

	buf_clear(cursor);
	if (page == NULL || !json_is_obj(page))
		return dialpad_incomplete(call, "object", e);
	if (items == NULL || !json_is_arr(items) || json_first(items) == NULL)
		return ERR_OK;
	if (json_get_str(page, "cursor", &next))
		buf_add_str(cursor, next);
	if (cursor->failed)
		return err_set(e, ERR_UPSTREAM, "Dialpad, %s: the cursor is too long", call->name);
	for (const struct json *i = json_first(items); i != NULL && rc == ERR_OK; i = json_next(i))
		rc = list->item(i, list->arg, e);
	return rc;
}

enum err_code
dialpad_list_page(struct dialpad_api *api, const struct dialpad_list *list, struct buf *cursor,
    struct dialpad_answer *answer, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(DIALPAD_MAX_PATH_BYTES);
	struct dialpad_call call = { .name = list->name,
		.method = "GET",
		.token = list->token,
		.patience_ms = list->patience_ms };
	enum err_code rc;

	buf_add_c(&path, list->path);
	if (cursor->n > 0)
		dialpad_path_add(&path, "cursor", buf_str(cursor));
	call.path = buf_c(&path);
	rc = dialpad_call(api, &call, answer, e);
	return rc == ERR_OK ? read_page(&call, answer->json, list, cursor, e) : rc;
}

enum err_code
dialpad_list_each(struct dialpad_api *api, const struct dialpad_list *list, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf cursor = BUF(DIALPAD_MAX_CURSOR_BYTES);

	for (int page = 0; page < MAX_PAGES; page++) {
		AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer answer = { .status = 0 };
		enum err_code rc = dialpad_list_page(api, list, &cursor, &answer, e);

		if (rc != ERR_OK || cursor.n == 0)
			return rc;
	}
	return err_set(e, ERR_UPSTREAM, "Dialpad, %s: more than %d pages", list->name, MAX_PAGES);
}

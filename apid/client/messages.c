#include "apid/handlers.h"

#include "apid/client/messages_db.h"
#include "common/records/record_render.h"

enum err_code
messages_list(struct http_req *req, struct http_res *res, struct err *e)
{
	return list_answer(req, res, &MESSAGES_LIST, e);
}

enum err_code
messages_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(item_release) struct item it = ITEM_NONE;
	struct json_out j;
	enum err_code rc = item_find(req, &MESSAGES_ITEM, &it, e);

	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	render_message(&it.record, &j);
	return ERR_OK;
}

#include "apid/handlers.h"

#include "apid/client/voicemails_db.h"
#include "common/records/record_render.h"

enum err_code
voicemails_list(struct http_req *req, struct http_res *res, struct err *e)
{
	return list_answer(req, res, &VOICEMAILS_LIST, e);
}

enum err_code
voicemails_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(item_release) struct item it = ITEM_NONE;
	struct json_out j;
	enum err_code rc = item_find(req, &VOICEMAILS_ITEM, &it, e);

	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	render_voicemail(&it.record, &j);
	return ERR_OK;
}

#include "apid/edge/request.h"

enum err_code
request_no_query(const struct http_req *req, struct err *e)
{
	static const char *const none[] = { NULL };

	return http_query_allow(req, none, e);
}

enum err_code
request_only_app(const struct http_req *req, struct uuid *out, struct err *e)
{
	enum err_code rc = request_no_query(req, e);

	return rc == ERR_OK ? request_app_id(req, out, e) : rc;
}

enum err_code
request_app_id(const struct http_req *req, struct uuid *out, struct err *e)
{
	if (!uuid_parse(req->segments[0], out) || uuid_eq(*out, UUID_NIL))
		return err_set(e, ERR_NOT_FOUND, "there is no app with this id");
	return ERR_OK;
}

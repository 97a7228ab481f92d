#include "apid/admin/audit_db.h"

/* Who acted: everybody who holds INTERNAL_API_SECRET is this one. */
#define ACTOR STR("admin")

static const struct db_stmt AUDIT_INSERT = {
	.name = "audit_insert",
	.sql = "INSERT INTO admin_audit (actor, app_id, action, target, request_id)"
	       " VALUES ($1, $2, $3, $4, $5)",
};

enum err_code
audit_write(
    struct db_conn *c, const struct http_req *req, const struct audit_line *line, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_text(&p, ACTOR);
	db_p_uuid(&p, line->app_id);
	db_p_text(&p, str_of(line->action));
	db_p_text(&p, line->target);
	db_p_text(&p, str_of(req->request_id));
	return db_exec(c, &AUDIT_INSERT, &p, NULL, e);
}

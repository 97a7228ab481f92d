#include "apid/client/item.h"

#include "apid/apid.h"
#include "apid/edge/request.h"
#include "common/records/record_db.h"

/* Add the id as a parameter and tell which kind it is of; false when it is neither. */
static bool
bind_id(struct str text, struct db_params *p, bool *is_ours)
{
	struct uuid id;
	int64_t dialpad_id;

	*is_ours = uuid_parse(text, &id);
	if (*is_ours)
		db_p_uuid(p, id);
	else if (str_to_i64(text, 0, INT64_MAX, &dialpad_id))
		db_p_i64(p, dialpad_id);
	else
		return false;
	return true;
}

static enum err_code
refuse_unknown(const struct item_kind *kind, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no %s with this id", kind->record->name);
}

enum err_code
item_find(const struct http_req *req, const struct item_kind *kind, struct item *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct db_query query = { .params = &p };
	bool is_ours;
	enum err_code rc;

	db_params_init(&p);
	rc = request_no_query(req, e);
	if (rc != ERR_OK)
		return rc;
	db_p_uuid(&p, req->app_id);
	if (!bind_id(req->segments[0], &p, &is_ours))
		return refuse_unknown(kind, e);
	query.stmt = is_ours ? kind->by_id : kind->by_dialpad_id;
	rc = apid_tenant_read(req, &query, 1, &out->row, e);
	if (rc != ERR_OK)
		return rc;
	if (db_rows(&out->row) == 0)
		return refuse_unknown(kind, e);
	record_read(kind->record, &out->row, 0, 0, &out->record);
	return ERR_OK;
}

void
item_release(struct item *it)
{
	db_result_clear(&it->row);
}

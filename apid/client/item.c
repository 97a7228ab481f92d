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

static enum err_code
read_rows(const struct http_req *req, const struct item_kind *kind, bool is_ours,
    const struct db_params *p, struct item *out, struct err *e)
{
	const struct db_query queries[] = {
		{ is_ours ? kind->row.by_id : kind->row.by_dialpad_id, p },
		{ is_ours ? kind->more.by_id : kind->more.by_dialpad_id, p },
	};
	int n = queries[1].stmt == NULL ? 1 : 2;
	struct db_result results[2] = { DB_RESULT_NONE, DB_RESULT_NONE };
	enum err_code rc = apid_tenant_read(req, queries, n, results, e);

	if (rc != ERR_OK)
		return rc;
	out->row = results[0];
	out->more = results[1];
	return ERR_OK;
}

enum err_code
item_find(const struct http_req *req, const struct item_kind *kind, struct item *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	bool is_ours;
	enum err_code rc;

	db_params_init(&p);
	rc = request_no_query(req, e);
	if (rc != ERR_OK)
		return rc;
	db_p_uuid(&p, req->app_id);
	if (!bind_id(req->segments[0], &p, &is_ours))
		return refuse_unknown(kind, e);
	rc = read_rows(req, kind, is_ours, &p, out, e);
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
	db_result_clear(&it->more);
}

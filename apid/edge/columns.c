#include "apid/edge/columns.h"

/* True when there is a value to write. */
static bool
begin(struct json_out *j, const char *name, const struct db_result *r, int row, int col)
{
	jo_key(j, name);
	if (!db_null(r, row, col))
		return true;
	jo_null(j);
	return false;
}

void
column_i64(struct json_out *j, const char *name, const struct db_result *r, int row, int col)
{
	if (begin(j, name, r, row, col))
		jo_i64(j, db_i64(r, row, col));
}

void
column_uuid(struct json_out *j, const char *name, const struct db_result *r, int row, int col)
{
	if (begin(j, name, r, row, col))
		jo_uuid(j, db_uuid(r, row, col));
}

void
column_json(struct json_out *j, const char *name, const struct db_result *r, int row, int col,
    struct str otherwise)
{
	jo_key(j, name);
	jo_raw(j, db_null(r, row, col) ? otherwise : db_str(r, row, col));
}

void
columns_list(struct buf *out, const char *name, const struct db_result *r, columns_render *render)
{
	struct json_out j;

	jo_init(&j, out);
	jo_obj(&j);
	jo_key(&j, name);
	jo_arr(&j);
	for (int i = 0; i < db_rows(r); i++)
		render(r, i, &j);
	jo_end_arr(&j);
	jo_end_obj(&j);
}

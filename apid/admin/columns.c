#include "apid/admin/columns.h"

/* True when there is a value to write. */
static bool
begin(const struct db_result *r, int row, int col, const char *name, struct json_out *j)
{
	jo_key(j, name);
	if (!db_null(r, row, col))
		return true;
	jo_null(j);
	return false;
}

void
column_time(const struct db_result *r, int row, int col, const char *name, struct json_out *j)
{
	if (begin(r, row, col, name, j))
		jo_time(j, db_time(r, row, col));
}

void
column_i64(const struct db_result *r, int row, int col, const char *name, struct json_out *j)
{
	if (begin(r, row, col, name, j))
		jo_i64(j, db_i64(r, row, col));
}

void
column_uuid(const struct db_result *r, int row, int col, const char *name, struct json_out *j)
{
	if (begin(r, row, col, name, j))
		jo_uuid(j, db_uuid(r, row, col));
}

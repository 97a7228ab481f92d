#include "apid/edge/put.h"

void
put_time(struct json_out *j, const char *key, const struct db_result *r, int row, int col)
{
	jo_key(j, key);
	if (db_null(r, row, col))
		jo_null(j);
	else
		jo_time(j, db_time(r, row, col));
}

void
put_json(struct json_out *j, const char *key, const struct db_result *r, int row, int col,
    struct str otherwise)
{
	jo_key(j, key);
	jo_raw(j, db_null(r, row, col) ? otherwise : db_str(r, row, col));
}

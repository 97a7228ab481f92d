#include "common/records/record_db.h"

static struct record_value
read_value(enum record_type type, const struct db_result *r, int row, int col)
{
	struct record_value v = { .set = !db_null(r, row, col) };

	if (!v.set)
		return v;
	switch (type) {
	case RECORD_I64:
	case RECORD_MS: v.i = db_i64(r, row, col); break;
	case RECORD_TIME: v.i = db_time(r, row, col); break;
	case RECORD_F64: v.f = db_f64(r, row, col); break;
	case RECORD_BOOL: v.b = db_bool(r, row, col); break;
	case RECORD_TEXT:
	case RECORD_LONG:
	case RECORD_JSON: v.s = db_str(r, row, col); break;
	}
	return v;
}

void
record_read(
    const struct record_kind *kind, const struct db_result *r, int row, int col, struct record *out)
{
	out->dialpad_id = db_i64(r, row, col);
	out->id = db_uuid(r, row, col + 1);
	for (int f = 0; f < kind->nfields; f++)
		out->v[f] = read_value(kind->fields[f].type, r, row, col + 2 + f);
}

enum db_type
record_db_type(enum record_type type)
{
	switch (type) {
	case RECORD_I64:
	case RECORD_MS: return DB_I64;
	case RECORD_TIME: return DB_TIME;
	case RECORD_F64: return DB_F64;
	case RECORD_BOOL: return DB_BOOL;
	case RECORD_JSON: return DB_JSON;
	case RECORD_TEXT:
	case RECORD_LONG: break;
	}
	return DB_TEXT;
}

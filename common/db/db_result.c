/*
 * Getters of binary values. A column of another type than the getter's is a mistake in our SQL or
 * in the schema that no caller can handle, so it stops the program instead of giving a wrong value.
 */
#include "common/db/db_priv.h"

#include <assert.h>

/* Types we read but never send. */
enum { OID_INT2 = 21, OID_OID = 26, OID_FLOAT4 = 700, OID_JSONB = 3802 };

static const PGresult *
result_of(const struct db_result *r)
{
	return r->res;
}

void
db_result_clear(struct db_result *r)
{
	PQclear(r->res);
	r->res = NULL;
}

int
db_rows(const struct db_result *r)
{
	return PQntuples(result_of(r));
}

int64_t
db_affected(const struct db_result *r)
{
	int64_t n;

	/* libpq's own digits, or "" for a statement that counts nothing. */
	return str_to_i64(str_of(PQcmdTuples(r->res)), 0, INT64_MAX, &n) ? n : 0;
}

bool
db_null(const struct db_result *r, int row, int col)
{
	assert(row >= 0 && row < PQntuples(result_of(r)));
	assert(col >= 0 && col < PQnfields(result_of(r)));
	return PQgetisnull(result_of(r), row, col) != 0;
}

/* The bytes as one big-endian number. */
static uint64_t
big_endian(const struct db_result *r, int row, int col)
{
	const char *p = PQgetvalue(result_of(r), row, col);
	int len = PQgetlength(result_of(r), row, col);
	uint64_t v = 0;

	assert(PQfformat(result_of(r), col) == 1);
	for (int i = 0; i < len; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

int64_t
db_i64(const struct db_result *r, int row, int col)
{
	if (db_null(r, row, col))
		return 0;
	switch (PQftype(result_of(r), col)) {
	case OID_INT2: return (int16_t)big_endian(r, row, col);
	case DB_I32: return (int32_t)big_endian(r, row, col);
	case OID_OID: /* an unsigned 32-bit number */
	case DB_I64: return (int64_t)big_endian(r, row, col);
	default: assert(!"db_i64: not an integer column"); abort();
	}
}

bool
db_bool(const struct db_result *r, int row, int col)
{
	if (db_null(r, row, col))
		return false;
	assert(PQftype(result_of(r), col) == DB_BOOL);
	return big_endian(r, row, col) != 0;
}

double
db_f64(const struct db_result *r, int row, int col)
{
	uint64_t bits;
	uint32_t bits4;
	double v;
	float v4;

	if (db_null(r, row, col))
		return 0;
	bits = big_endian(r, row, col);
	if (PQftype(result_of(r), col) == OID_FLOAT4) {
		bits4 = (uint32_t)bits;
		memcpy(&v4, &bits4, sizeof(v4));
		return (double)v4;
	}
	assert(PQftype(result_of(r), col) == DB_F64);
	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* Microseconds since 2000 to ms since 1970, rounded down also before the epoch. */
int64_t
db_time(const struct db_result *r, int row, int col)
{
	int64_t us, ms;

	if (db_null(r, row, col))
		return 0;
	assert(PQftype(result_of(r), col) == DB_TIME);
	us = (int64_t)big_endian(r, row, col);
	if (us == INT64_MIN || us == INT64_MAX) /* -infinity, infinity */
		return us;
	ms = us / 1000;
	if (us % 1000 < 0)
		ms--;
	return ms + DB_EPOCH_MS;
}

struct uuid
db_uuid(const struct db_result *r, int row, int col)
{
	struct uuid u = UUID_NIL;

	if (db_null(r, row, col))
		return u;
	assert(PQftype(result_of(r), col) == DB_UUID);
	memcpy(u.b, PQgetvalue(result_of(r), row, col), sizeof(u.b));
	return u;
}

struct str
db_str(const struct db_result *r, int row, int col)
{
	struct str s;

	if (db_null(r, row, col))
		return STR_NONE;
	s.p = PQgetvalue(result_of(r), row, col);
	s.n = (size_t)PQgetlength(result_of(r), row, col);
	if (PQftype(result_of(r), col) == OID_JSONB) { /* a version byte, then the text */
		s.p++;
		s.n--;
	}
	return s;
}

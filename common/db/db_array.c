/* Elements in PostgreSQL's binary form: length (-1 for null), bytes. db_p_array adds the head. */
#include "common/db/db_priv.h"

#include <assert.h>

#define ARRAY_MAX ((size_t)1 << 30)

void
db_array_init(struct db_array *a, enum db_type type)
{
	a->type = type;
	a->n = 0;
	a->has_null = false;
	buf_init(&a->b, ARRAY_MAX);
}

void
db_array_release(struct db_array *a)
{
	buf_release(&a->b);
	a->n = 0;
}

/* Each element takes four bytes or more of ARRAY_MAX, so `n` cannot overflow unnoticed. */
static void
begin(struct db_array *a, int32_t len)
{
	if (!a->b.failed)
		a->n++;
	db_put_i32(&a->b, len);
}

void
db_array_null(struct db_array *a)
{
	begin(a, -1);
	a->has_null = true;
}

void
db_array_i64(struct db_array *a, int64_t v)
{
	assert(a->type == DB_I64);
	begin(a, 8);
	db_put_i64(&a->b, v);
}

void
db_array_i32(struct db_array *a, int32_t v)
{
	assert(a->type == DB_I32);
	begin(a, 4);
	db_put_i32(&a->b, v);
}

void
db_array_bool(struct db_array *a, bool v)
{
	assert(a->type == DB_BOOL);
	begin(a, 1);
	buf_add_char(&a->b, v ? 1 : 0);
}

void
db_array_f64(struct db_array *a, double v)
{
	assert(a->type == DB_F64);
	begin(a, 8);
	db_put_f64(&a->b, v);
}

void
db_array_time(struct db_array *a, int64_t ms)
{
	assert(a->type == DB_TIME);
	begin(a, 8);
	db_put_time(&a->b, ms);
}

void
db_array_uuid(struct db_array *a, struct uuid v)
{
	assert(a->type == DB_UUID);
	begin(a, sizeof(v.b));
	buf_add(&a->b, v.b, sizeof(v.b));
}

void
db_array_bytes(struct db_array *a, struct str v)
{
	assert(a->type == DB_TEXT || a->type == DB_JSON || a->type == DB_BYTEA);
	if (v.p == NULL) {
		db_array_null(a);
		return;
	}
	if (v.n > ARRAY_MAX) { /* its length must fit the four bytes */
		a->b.failed = true;
		return;
	}
	begin(a, (int32_t)v.n);
	buf_add_str(&a->b, v);
}

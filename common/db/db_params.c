#include "common/db/db_priv.h"

#include <assert.h>

/* A message of PostgreSQL's protocol is shorter than 1 GiB; the rest of it needs some room too. */
#define PARAMS_MAX ((size_t)1 << 30)
#define PARAMS_ROOM ((size_t)1 << 16)

void
db_params_init(struct db_params *p)
{
	p->n = 0;
	buf_init(&p->data, PARAMS_MAX);
}

void
db_params_release(struct db_params *p)
{
	buf_release(&p->data);
	p->n = 0;
}

void
db_params_clear(struct db_params *p)
{
	buf_clear(&p->data);
	p->n = 0;
}

void
db_put_i32(struct buf *b, int32_t v)
{
	uint32_t u = (uint32_t)v;
	unsigned char be[4];

	for (int i = 0; i < 4; i++)
		be[i] = (unsigned char)(u >> (24 - 8 * i));
	buf_add(b, be, sizeof(be));
}

void
db_put_i64(struct buf *b, int64_t v)
{
	uint64_t u = (uint64_t)v;

	db_put_i32(b, (int32_t)(uint32_t)(u >> 32));
	db_put_i32(b, (int32_t)(uint32_t)u);
}

void
db_put_f64(struct buf *b, double v)
{
	int64_t bits;

	static_assert(sizeof(bits) == sizeof(v), "a double has 64 bits");
	memcpy(&bits, &v, sizeof(bits));
	db_put_i64(b, bits);
}

/*
 * An instant that does not fit becomes the last one before PostgreSQL's "infinity" (the extreme
 * values), which the server refuses as out of range: better than a wrong or an endless time.
 */
void
db_put_time(struct buf *b, int64_t ms)
{
	int64_t us;

	if (__builtin_sub_overflow(ms, DB_EPOCH_MS, &us) || __builtin_mul_overflow(us, 1000, &us))
		us = ms < 0 ? INT64_MIN + 1 : INT64_MAX - 1;
	db_put_i64(b, us);
}

/* Start the next parameter; its bytes follow in p->data. */
static void
begin(struct db_params *p, unsigned oid)
{
	assert(p->n < DB_MAX_PARAMS);
	p->p[p->n].oid = oid;
	p->p[p->n].null = false;
	p->p[p->n].borrowed = NULL;
	p->p[p->n].at = p->data.n;
}

static void
end(struct db_params *p)
{
	p->p[p->n].len = p->data.n - p->p[p->n].at;
	p->n++;
}

void
db_p_i64(struct db_params *p, int64_t v)
{
	begin(p, DB_I64);
	db_put_i64(&p->data, v);
	end(p);
}

void
db_p_i32(struct db_params *p, int32_t v)
{
	begin(p, DB_I32);
	db_put_i32(&p->data, v);
	end(p);
}

void
db_p_bool(struct db_params *p, bool v)
{
	begin(p, DB_BOOL);
	buf_add_char(&p->data, v ? 1 : 0);
	end(p);
}

void
db_p_f64(struct db_params *p, double v)
{
	begin(p, DB_F64);
	db_put_f64(&p->data, v);
	end(p);
}

void
db_p_time(struct db_params *p, int64_t ms)
{
	begin(p, DB_TIME);
	db_put_time(&p->data, ms);
	end(p);
}

void
db_p_uuid(struct db_params *p, struct uuid v)
{
	begin(p, DB_UUID);
	buf_add(&p->data, v.b, sizeof(v.b));
	end(p);
}

static void
add_borrowed(struct db_params *p, unsigned oid, struct str v)
{
	begin(p, oid);
	p->p[p->n].null = v.p == NULL;
	p->p[p->n].borrowed = v.p;
	p->p[p->n].len = v.n;
	p->n++;
}

void
db_p_text(struct db_params *p, struct str v)
{
	add_borrowed(p, DB_TEXT, v);
}

void
db_p_json(struct db_params *p, struct str v)
{
	add_borrowed(p, DB_JSON, v);
}

void
db_p_bytea(struct db_params *p, struct str v)
{
	add_borrowed(p, DB_BYTEA, v);
}

void
db_p_null(struct db_params *p, enum db_type type)
{
	add_borrowed(p, type, STR_NONE);
}

/* PostgreSQL's type of an array of this type. */
static unsigned
array_oid(enum db_type type)
{
	switch (type) {
	case DB_BOOL: return 1000;
	case DB_BYTEA: return 1001;
	case DB_I64: return 1016;
	case DB_I32: return 1007;
	case DB_TEXT: return 1009;
	case DB_JSON: return 199;
	case DB_F64: return 1022;
	case DB_TIME: return 1185;
	case DB_UUID: return 2951;
	}
	abort();
}

/* Dimensions, "has nulls", element type, then size and lower bound of the one dimension. */
void
db_p_array(struct db_params *p, const struct db_array *a)
{
	begin(p, array_oid(a->type));
	db_put_i32(&p->data, a->n == 0 ? 0 : 1);
	db_put_i32(&p->data, a->has_null ? 1 : 0);
	db_put_i32(&p->data, (int32_t)a->type);
	if (a->n > 0) {
		db_put_i32(&p->data, a->n);
		db_put_i32(&p->data, 1);
		buf_add_str(&p->data, buf_str(&a->b));
	}
	if (a->b.failed)
		p->data.failed = true;
	end(p);
}

enum err_code
db_args_fill(struct db_args *a, const struct db_params *p, const char *what, struct err *e)
{
	size_t total = 0;

	a->n = p == NULL ? 0 : p->n;
	for (int i = 0; i < a->n; i++) {
		const char *owned = buf_str(&p->data).p + p->p[i].at;

		if (p->data.failed || p->p[i].len > PARAMS_MAX - PARAMS_ROOM - total)
			return err_set(e, ERR_TOO_LARGE, "%s: parameters over 1 GiB", what);
		total += p->p[i].len;
		a->types[i] = p->p[i].oid;
		a->values[i] = p->p[i].borrowed != NULL ? p->p[i].borrowed : owned;
		if (p->p[i].null)
			a->values[i] = NULL;
		a->lengths[i] = (int)p->p[i].len;
		a->formats[i] = 1;
	}
	return ERR_OK;
}

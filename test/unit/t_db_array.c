/* The binary images of parameters and arrays, byte by byte. */
#include "common/db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
	struct db_array a;
	struct db_params p;
};

static void
start(struct fixture *f, enum db_type type)
{
	db_array_init(&f->a, type);
	db_params_init(&f->p);
}

static void
finish(struct fixture *f)
{
	db_array_release(&f->a);
	db_params_release(&f->p);
}

/* Bind the array and compare the parameter with what PostgreSQL's array_recv expects. */
static void
check(struct fixture *f, unsigned oid, const void *bytes, size_t n)
{
	db_p_array(&f->p, &f->a);
	assert_int_equal(f->p.n, 1);
	assert_int_equal(f->p.p[0].oid, oid);
	assert_false(f->p.p[0].null);
	assert_int_equal(f->p.p[0].len, n);
	assert_memory_equal(f->p.data.p + f->p.p[0].at, bytes, n);
}

static void
an_empty_array_has_no_dimension(void **state)
{
	static const unsigned char want[] = {
		0, 0, 0, 0,  /* dimensions */
		0, 0, 0, 0,  /* no nulls */
		0, 0, 0, 25, /* text */
	};
	struct fixture f;

	(void)state;
	start(&f, DB_TEXT);
	check(&f, 1009, want, sizeof(want));
	finish(&f);
}

static void
elements_carry_their_length_and_null_is_minus_one(void **state)
{
	static const unsigned char want[] = {
		0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 25, /* one dimension, nulls, text */
		0, 0, 0, 3, 0, 0, 0, 1,              /* three elements from 1 on */
		0, 0, 0, 2, 'a', '"', 255, 255, 255, 255, 0, 0, 0,
		0, /* the empty text is not null */
	};
	struct fixture f;

	(void)state;
	start(&f, DB_TEXT);
	db_array_bytes(&f.a, STR("a\""));
	db_array_bytes(&f.a, STR_NONE);
	db_array_bytes(&f.a, STR(""));
	check(&f, 1009, want, sizeof(want));
	finish(&f);
}

static void
numbers_are_big_endian(void **state)
{
	static const unsigned char want[] = {
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		20,
		0,
		0,
		0,
		2,
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		8,
		1,
		2,
		3,
		4,
		5,
		6,
		7,
		8,
		0,
		0,
		0,
		8,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		254,
	};
	struct fixture f;

	(void)state;
	start(&f, DB_I64);
	db_array_i64(&f.a, 0x0102030405060708);
	db_array_i64(&f.a, -2);
	check(&f, 1016, want, sizeof(want));
	finish(&f);
}

static void
a_bool_takes_one_byte(void **state)
{
	static const unsigned char want[] = {
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		16,
		0,
		0,
		0,
		2,
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		1,
		1,
		0,
		0,
		0,
		1,
		0,
	};
	struct fixture f;

	(void)state;
	start(&f, DB_BOOL);
	db_array_bool(&f.a, true);
	db_array_bool(&f.a, false);
	check(&f, 1000, want, sizeof(want));
	finish(&f);
}

static void
each_type_has_its_array_type(void **state)
{
	static const struct {
		enum db_type type;
		unsigned oid;
	} rows[] = {
		{ DB_BOOL, 1000 },
		{ DB_BYTEA, 1001 },
		{ DB_I64, 1016 },
		{ DB_I32, 1007 },
		{ DB_TEXT, 1009 },
		{ DB_JSON, 199 },
		{ DB_F64, 1022 },
		{ DB_TIME, 1185 },
		{ DB_UUID, 2951 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;

		start(&f, rows[i].type);
		db_p_array(&f.p, &f.a);
		assert_int_equal(f.p.p[0].oid, rows[i].oid);
		finish(&f);
	}
}

static void
an_instant_is_microseconds_since_2000(void **state)
{
	static const unsigned char before[] = { 255, 255, 255, 255, 255, 255, 252, 24 }; /* -1000 */
	static const unsigned char most[] = { 127, 255, 255, 255, 255, 255, 255, 254 };
	static const unsigned char least[] = { 128, 0, 0, 0, 0, 0, 0, 1 };
	struct db_params p;

	(void)state;
	db_params_init(&p);
	db_p_time(&p, INT64_C(946684799999)); /* one ms before 2000-01-01 */
	db_p_time(&p, INT64_MAX);             /* too late for PostgreSQL, but not "infinity" */
	db_p_time(&p, INT64_MIN);
	assert_memory_equal(p.data.p + p.p[0].at, before, 8);
	assert_memory_equal(p.data.p + p.p[1].at, most, 8);
	assert_memory_equal(p.data.p + p.p[2].at, least, 8);
	db_params_release(&p);
}

static void
a_cleared_list_of_parameters_starts_anew(void **state)
{
	struct db_params p;

	(void)state;
	db_params_init(&p);
	db_p_i32(&p, 7);
	db_p_text(&p, STR("x"));
	db_params_clear(&p);
	db_p_null(&p, DB_UUID);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.p[0].oid, DB_UUID);
	assert_true(p.p[0].null);
	db_params_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_array_has_no_dimension),
		cmocka_unit_test(elements_carry_their_length_and_null_is_minus_one),
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(a_bool_takes_one_byte),
		cmocka_unit_test(each_type_has_its_array_type),
		cmocka_unit_test(an_instant_is_microseconds_since_2000),
		cmocka_unit_test(a_cleared_list_of_parameters_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

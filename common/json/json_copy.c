#include "common/json/json_copy.h"

enum { MAX_DEPTH = 16 };

static void copy(const struct json *v, struct json_out *j, int depth);

static void
copy_items(const struct json *v, struct json_out *j, int depth)
{
	bool is_obj = json_is_obj(v);

	is_obj ? jo_obj(j) : jo_arr(j);
	for (const struct json *item = json_first(v); item != NULL; item = json_next(item)) {
		if (is_obj)
			jo_key_str(j, str_of(json_key(item)));
		copy(item, j, depth + 1);
	}
	is_obj ? jo_end_obj(j) : jo_end_arr(j);
}

static void
copy_number(const struct json *v, struct json_out *j)
{
	int64_t i;
	double f;

	if (json_to_i64(v, &i))
		jo_i64(j, i);
	else if (json_to_f64(v, &f))
		jo_f64(j, f);
	else
		jo_null(j);
}

static void
copy(const struct json *v, struct json_out *j, int depth)
{
	struct str s;
	bool b;

	if ((json_is_obj(v) || json_is_arr(v)) && depth < MAX_DEPTH)
		copy_items(v, j, depth);
	else if (json_to_str(v, &s))
		jo_str(j, s);
	else if (json_to_bool(v, &b))
		jo_bool(j, b);
	else if (json_is_num(v))
		copy_number(v, j);
	else
		jo_null(j);
}

void
json_copy(const struct json *v, struct json_out *j)
{
	copy(v, j, 0);
}

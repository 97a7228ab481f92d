#include "common/json/json_out.h"

#include "common/base/clock.h"
#include "common/base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32 };

void
jo_init(struct json_out *j, struct buf *b)
{
	*j = (struct json_out){ .b = b };
}

/* Every value passes here: places the comma that is due before it. */
static void
before_value(struct json_out *j)
{
	uint32_t bit = 1u << j->depth;

	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if ((j->has_item & bit) != 0)
		buf_add_char(j->b, ',');
	j->has_item |= bit;
}

static void
open_container(struct json_out *j, char c)
{
	before_value(j);
	assert(j->depth + 1 < MAX_DEPTH);
	j->depth++;
	j->has_item &= ~(1u << j->depth);
	buf_add_char(j->b, c);
}

static void
close_container(struct json_out *j, char c)
{
	assert(j->depth > 0 && !j->after_key);
	j->depth--;
	buf_add_char(j->b, c);
}

void
jo_obj(struct json_out *j)
{
	open_container(j, '{');
}

void
jo_end_obj(struct json_out *j)
{
	close_container(j, '}');
}

void
jo_arr(struct json_out *j)
{
	open_container(j, '[');
}

void
jo_end_arr(struct json_out *j)
{
	close_container(j, ']');
}

/* Text of our own, which has nothing to escape, between quotes, and then `behind`. */
static void
add_quoted(struct buf *b, const char *text, const char *behind)
{
	struct str head = str_of(text), tail = str_of(behind);
	char *at = buf_grow(b, head.n + tail.n + 2);

	if (at == NULL)
		return;
	*at++ = '"';
	memcpy(at, head.p, head.n);
	at[head.n] = '"';
	memcpy(at + head.n + 1, tail.p, tail.n);
}

void
jo_key(struct json_out *j, const char *name)
{
	before_value(j);
	add_quoted(j->b, name, ":");
	j->after_key = true;
}

void
jo_key_str(struct json_out *j, struct str name)
{
	jo_str(j, name);
	buf_add_char(j->b, ':');
	j->after_key = true;
}

void
jo_null(struct json_out *j)
{
	before_value(j);
	buf_add(j->b, "null", 4);
}

void
jo_bool(struct json_out *j, bool v)
{
	before_value(j);
	buf_add_c(j->b, v ? "true" : "false");
}

void
jo_i64(struct json_out *j, int64_t v)
{
	char digits[20], *p = digits + sizeof digits;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	before_value(j);
	do
		*--p = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		buf_add_char(j->b, '-');
	buf_add(j->b, p, (size_t)(digits + sizeof digits - p));
}

void
jo_f64(struct json_out *j, double v)
{
	char text[32];
	int n = 0;

	if (!isfinite(v)) {
		jo_null(j);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	before_value(j);
	buf_add(j->b, text, (size_t)n);
}

static void
add_escaped(struct buf *b, char c)
{
	switch (c) {
	case '"': buf_add(b, "\\\"", 2); break;
	case '\\': buf_add(b, "\\\\", 2); break;
	case '\n': buf_add(b, "\\n", 2); break;
	case '\r': buf_add(b, "\\r", 2); break;
	case '\t': buf_add(b, "\\t", 2); break;
	default: buf_add_fmt(b, "\\u%04x", (unsigned char)c);
	}
}

void
jo_str(struct json_out *j, struct str v)
{
	size_t from = 0, i = 0;

	if (v.p == NULL) {
		jo_null(j);
		return;
	}
	before_value(j);
	buf_add_char(j->b, '"');
	while (i < v.n) {
		unsigned char c = (unsigned char)v.p[i];
		size_t n = 0;

		if (c >= 0x80)
			n = utf8_length((struct str){ v.p + i, v.n - i });
		else if (c >= 0x20 && c != '"' && c != '\\')
			n = 1;
		if (n > 0) {
			i += n;
			continue;
		}
		buf_add(j->b, v.p + from, i - from);
		if (c < 0x80)
			add_escaped(j->b, (char)c);
		else
			buf_add_str(j->b, UTF8_REPLACEMENT);
		from = ++i;
	}
	buf_add(j->b, v.p + from, v.n - from);
	buf_add_char(j->b, '"');
}

void
jo_time(struct json_out *j, int64_t ms)
{
	char text[CLOCK_RFC3339_BYTES];

	before_value(j);
	add_quoted(j->b, clock_format_rfc3339(ms, text), "");
}

void
jo_uuid(struct json_out *j, struct uuid v)
{
	char text[UUID_TEXT_BYTES];

	before_value(j);
	add_quoted(j->b, uuid_format(v, text), "");
}

void
jo_raw(struct json_out *j, struct str json)
{
	if (json.p == NULL) {
		jo_null(j);
		return;
	}
	before_value(j);
	buf_add_str(j->b, json);
}

void
jo_kv_str(struct json_out *j, const char *key, struct str v)
{
	jo_key(j, key);
	jo_str(j, v);
}

void
jo_kv_i64(struct json_out *j, const char *key, int64_t v)
{
	jo_key(j, key);
	jo_i64(j, v);
}

void
jo_kv_bool(struct json_out *j, const char *key, bool v)
{
	jo_key(j, key);
	jo_bool(j, v);
}

void
jo_kv_time(struct json_out *j, const char *key, int64_t ms)
{
	jo_key(j, key);
	if (ms != 0)
		jo_time(j, ms);
	else
		jo_null(j);
}

/*
 * common/json: any bytes. What is read must be shallow, and its copy must be JSON that reads as the
 * same copy again.
 */
#include "test/fuzz/fuzz.h"

#include "common/base/arena.h"
#include "common/base/utf8.h"
#include "common/dialpad/event.h"
#include "common/json/json_copy.h"

enum { COPY_ROOM = 1 << 22 };

/* Every getter, on every value; a text never holds a NUL. */
static void
look(const struct json *v, int depth)
{
	struct str s;
	int64_t i;
	double f;
	bool b;

	FUZZ_CHECK(depth <= JSON_MAX_DEPTH);
	if (json_to_i64(v, &i))
		FUZZ_CHECK(json_is_num(v) || json_is_str(v));
	if (json_to_f64(v, &f))
		FUZZ_CHECK(f == f);
	if (json_to_bool(v, &b))
		FUZZ_CHECK(!json_is_null(v));
	if (json_is_str(v) && json_to_str(v, &s))
		FUZZ_CHECK(memchr(s.p, '\0', s.n) == NULL);
	for (const struct json *item = json_first(v); item != NULL; item = json_next(item)) {
		if (json_is_obj(v))
			FUZZ_CHECK(json_get(v, json_key(item)) != NULL);
		look(item, depth + 1);
	}
}

static void
copy(const struct json *v, struct buf *out)
{
	struct json_out j;

	jo_init(&j, out);
	json_copy(v, &j);
	FUZZ_CHECK(!out->failed);
}

static void
check_utf8(struct str s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = utf8_length((struct str){ s.p + i, s.n - i });
		FUZZ_CHECK(n > 0);
	}
}

static void
check_copy(const struct json *doc)
{
	AUTO_RELEASE(buf_release) struct buf first = BUF(COPY_ROOM);
	AUTO_RELEASE(buf_release) struct buf second = BUF(COPY_ROOM);
	AUTO(json) struct json *again = NULL;
	struct err e;

	copy(doc, &first);
	check_utf8(buf_str(&first));
	FUZZ_CHECK(json_parse(buf_str(&first), &again, &e) == ERR_OK);
	copy(again, &second);
	FUZZ_CHECK(str_eq(buf_str(&first), buf_str(&second)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(str) char *exact = fuzz_exact((struct str){ (const char *)data, n });
	AUTO_RELEASE(arena_release) struct arena a;
	AUTO(json) struct json *doc = NULL;
	struct dialpad_event seen;
	struct err e;

	arena_init(&a);
	if (json_parse((struct str){ exact, n }, &doc, &e) != ERR_OK)
		return 0;
	look(doc, 0);
	check_copy(doc);
	dialpad_event_read(doc, &a, &seen);
	FUZZ_CHECK(seen.type.n > 0 && seen.id_text.n <= 64);
	return 0;
}

/* ingestd/spool_file: what is written comes back; what is damaged does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingestd/spool_file.h"

#include <sodium.h>

enum { ROOM = 1 << 22, LARGE = 1 << 20, HASH_BYTES = 32 };

static const struct event call = {
	.app_id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
	.id = { { 0xff, 0xfe, 0, 1 } },
	.hook = INT32_MAX,
	.is_json = true,
	.arrived_at = 1700000000123,
	.event_at = 253402300799999,
	.type = { "ringing", 7 },
	.dialpad_id = { "5137304475768569", 16 },
	.claims = { "{\"call_id\":5137304475768569}", 28 },
};
/* The bare route; nothing is known of it, and its claims are no text. */
static const struct event bare = { .arrived_at = 1, .claims = { "a\0b\0\xff", 5 } };
/* Empty is not absent. */
static const struct event empty = {
	.hook = 1, .type = { "", 0 }, .dialpad_id = { "", 0 }, .claims = { "", 0 }
};

static void
assert_same_text(struct str a, struct str b)
{
	assert_int_equal(a.p == NULL, b.p == NULL);
	assert_true(str_eq(a, b));
}

static void
assert_same(const struct event *a, const struct event *b)
{
	assert_true(uuid_eq(a->app_id, b->app_id));
	assert_true(uuid_eq(a->id, b->id));
	assert_int_equal(a->hook, b->hook);
	assert_int_equal(a->is_json, b->is_json);
	assert_int_equal(a->arrived_at, b->arrived_at);
	assert_int_equal(a->event_at, b->event_at);
	assert_same_text(a->type, b->type);
	assert_same_text(a->dialpad_id, b->dialpad_id);
	assert_true(str_eq(a->claims, b->claims));
}

static void
assert_round_trip(const struct event *const *events, int n)
{
	AUTO_RELEASE(buf_release) struct buf file = BUF(ROOM);
	AUTO_RELEASE(arena_release) struct arena a;
	const struct event *const *back;
	struct err e;
	int nback = -1;

	arena_init(&a);
	spool_encode(events, n, &file);
	assert_false(file.failed);
	assert_int_equal(spool_decode(buf_str(&file), &a, &back, &nback, &e), ERR_OK);
	assert_int_equal(nback, n);
	for (int i = 0; i < n; i++)
		assert_same(events[i], back[i]);
}

static void
events_come_back_as_they_were(void **state)
{
	const struct event *const events[] = { &call, &bare, &empty, &call };

	(void)state;
	for (int n = 0; n <= 4; n++)
		assert_round_trip(events, n);
}

static void
claims_of_a_mebibyte_come_back(void **state)
{
	static char bytes[LARGE];
	struct event large = call;
	const struct event *const events[] = { &bare, &large, &bare };

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	large.claims = (struct str){ bytes, sizeof bytes };
	assert_round_trip(events, 3);
}

/* Copied to memory of just that size: nothing behind the end may be read. */
static enum err_code
decode(struct str bytes)
{
	AUTO(str) char *exact = malloc(bytes.n + 1);
	AUTO_RELEASE(arena_release) struct arena a;
	const struct event *const *events = NULL;
	struct err e;
	int n = -1;
	enum err_code rc;

	arena_init(&a);
	assert_non_null(exact);
	memcpy(exact + 1, bytes.p, bytes.n);
	rc = spool_decode((struct str){ exact + 1, bytes.n }, &a, &events, &n, &e);
	if (rc != ERR_OK) {
		assert_null(events);
		assert_int_equal(n, -1);
		assert_int_equal(e.code, rc);
	}
	return rc;
}

static void
encode_two(struct buf *file)
{
	const struct event *const events[] = { &call, &bare };

	spool_encode(events, 2, file);
	assert_int_equal(decode(buf_str(file)), ERR_OK);
}

static void
each_damaged_byte_is_noticed(void **state)
{
	AUTO_RELEASE(buf_release) struct buf file = BUF(ROOM);

	(void)state;
	encode_two(&file);
	for (size_t i = 0; i < file.n; i++)
		for (int flip = 1; flip < 256; flip <<= 1) {
			file.p[i] = (char)(file.p[i] ^ flip);
			assert_int_equal(decode(buf_str(&file)), ERR_INVALID);
			file.p[i] = (char)(file.p[i] ^ flip);
		}
}

static void
each_missing_or_added_end_is_noticed(void **state)
{
	AUTO_RELEASE(buf_release) struct buf file = BUF(ROOM);

	(void)state;
	encode_two(&file);
	for (size_t n = 0; n < file.n; n++)
		assert_int_equal(decode((struct str){ file.p, n }), ERR_INVALID);
	buf_add_char(&file, '\0');
	assert_int_equal(decode(buf_str(&file)), ERR_INVALID);
}

/* ---- files whose hash is right although nobody wrote them like that ---- */

static enum err_code
decode_sealed(struct buf *file)
{
	unsigned char hash[HASH_BYTES];

	crypto_generichash(hash, sizeof hash, (const unsigned char *)file->p, file->n, NULL, 0);
	buf_add(file, hash, sizeof hash);
	return decode(buf_str(file));
}

static enum err_code
decode_patched(size_t at, unsigned char byte)
{
	AUTO_RELEASE(buf_release) struct buf file = BUF(ROOM);

	encode_two(&file);
	file.n -= HASH_BYTES;
	file.p[at] = (char)byte;
	return decode_sealed(&file);
}

static void
counts_and_lengths_that_do_not_fit_are_refused(void **state)
{
	enum { COUNT_AT = 8, FIRST_EVENT_AT = 12, TYPE_LENGTH_AT = FIRST_EVENT_AT + 53 };

	(void)state;
	assert_int_equal(decode_patched(COUNT_AT, 2), ERR_OK); /* as it was */
	assert_int_equal(decode_patched(COUNT_AT, 1), ERR_INVALID);
	assert_int_equal(decode_patched(COUNT_AT, 3), ERR_INVALID);
	assert_int_equal(
	    decode_patched(COUNT_AT + 3, 0xff), ERR_INVALID); /* two thousand million */
	assert_int_equal(decode_patched(TYPE_LENGTH_AT, 7), ERR_OK);
	assert_int_equal(decode_patched(TYPE_LENGTH_AT, 8), ERR_INVALID);
	assert_int_equal(decode_patched(TYPE_LENGTH_AT + 3, 0xff), ERR_INVALID);
	assert_int_equal(decode_patched(0, 'X'), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_back_as_they_were),
		cmocka_unit_test(claims_of_a_mebibyte_come_back),
		cmocka_unit_test(each_damaged_byte_is_noticed),
		cmocka_unit_test(each_missing_or_added_end_is_noticed),
		cmocka_unit_test(counts_and_lengths_that_do_not_fit_are_refused),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

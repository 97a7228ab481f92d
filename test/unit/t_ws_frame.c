/* common/http/ws_frame: what a client may send, and the close code for what it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/ws.h"
#include "common/http/ws_frame.h"

enum { MAX_MESSAGE = 1000, FINAL = 0x80, MASKED = 0x80 };

static struct buf wire_in = { .max = 200 * 1024 };
static struct ws_reader reader;

static int
set_up(void **state)
{
	(void)state;
	buf_clear(&wire_in);
	ws_reader_init(&reader, MAX_MESSAGE);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ws_reader_release(&reader);
	buf_release(&wire_in);
	return 0;
}

/* A masked frame as a client sends it. */
static void
add_frame(int first_byte, struct str payload)
{
	static const char mask[4] = { 0x11, 0x22, 0x33, 0x44 };

	buf_add_char(&wire_in, (char)first_byte);
	if (payload.n < 126) {
		buf_add_char(&wire_in, (char)(MASKED | (int)payload.n));
	} else {
		buf_add_char(&wire_in, (char)(MASKED | 126));
		buf_add_char(&wire_in, (char)(payload.n >> 8));
		buf_add_char(&wire_in, (char)payload.n);
	}
	buf_add(&wire_in, mask, sizeof mask);
	for (size_t i = 0; i < payload.n; i++)
		buf_add_char(&wire_in, (char)(payload.p[i] ^ mask[i % 4]));
}

static struct str rest, got_payload;
static int got_code;

static enum ws_got
next(void)
{
	return ws_read(&reader, &rest, &got_payload, &got_code);
}

static enum ws_got
first(void)
{
	rest = buf_str(&wire_in);
	return next();
}

static void
assert_fault(int code)
{
	assert_int_equal(first(), WS_FAULT);
	assert_int_equal(got_code, code);
}

static void
assert_payload(struct str expected)
{
	assert_true(str_eq(got_payload, expected));
}

static void
a_text_is_unmasked(void **state)
{
	(void)state;
	add_frame(FINAL | WS_OP_TEXT, STR("hello, \xc3\xa9"));
	assert_int_equal(first(), WS_TEXT);
	assert_payload(STR("hello, \xc3\xa9"));
	assert_int_equal(next(), WS_NOTHING);
}

static void
an_empty_text_is_a_message(void **state)
{
	(void)state;
	add_frame(FINAL | WS_OP_TEXT, STR(""));
	assert_int_equal(first(), WS_TEXT);
	assert_int_equal(got_payload.n, 0);
}

static void
fragments_are_joined_and_a_ping_may_come_between(void **state)
{
	(void)state;
	add_frame(WS_OP_TEXT, STR("one "));
	add_frame(FINAL | WS_OP_PING, STR("are you there"));
	add_frame(WS_OP_CONTINUATION, STR("\xc3")); /* a character may be cut */
	add_frame(FINAL | WS_OP_CONTINUATION, STR("\xa9"));
	add_frame(FINAL | WS_OP_TEXT, STR("two"));
	assert_int_equal(first(), WS_PING);
	assert_payload(STR("are you there"));
	assert_int_equal(next(), WS_TEXT);
	assert_payload(STR("one \xc3\xa9"));
	assert_int_equal(next(), WS_TEXT);
	assert_payload(STR("two"));
}

static void
bytes_may_come_one_by_one(void **state)
{
	struct str all, one;

	(void)state;
	add_frame(FINAL | WS_OP_TEXT, STR("a"));
	add_frame(FINAL | WS_OP_PONG, STR("b"));
	all = buf_str(&wire_in);
	for (size_t i = 0; i < all.n; i++) {
		enum ws_got expected = i == 6 ? WS_TEXT : i == all.n - 1 ? WS_PONG : WS_NOTHING;

		one = (struct str){ all.p + i, 1 };
		assert_int_equal(ws_read(&reader, &one, &got_payload, &got_code), expected);
	}
}

static void
a_message_up_to_the_limit_is_taken_and_one_beyond_is_not_even_read(void **state)
{
	char big[MAX_MESSAGE + 1];

	(void)state;
	memset(big, 'x', sizeof big);
	add_frame(FINAL | WS_OP_TEXT, (struct str){ big, MAX_MESSAGE });
	assert_int_equal(first(), WS_TEXT);
	assert_int_equal(got_payload.n, MAX_MESSAGE);

	buf_clear(&wire_in);
	add_frame(FINAL | WS_OP_TEXT, (struct str){ big, sizeof big });
	wire_in.n = 8; /* the head is enough to refuse it */
	assert_fault(WS_CODE_TOO_BIG);
}

static void
fragments_together_have_the_same_limit(void **state)
{
	char half[MAX_MESSAGE / 2 + 1];

	(void)state;
	memset(half, 'x', sizeof half);
	add_frame(WS_OP_TEXT, (struct str){ half, sizeof half });
	add_frame(FINAL | WS_OP_CONTINUATION, (struct str){ half, sizeof half });
	assert_fault(WS_CODE_TOO_BIG);
}

/* Two bytes decide. */
static void
assert_head_fault(int byte0, int byte1, int code)
{
	ws_reader_release(&reader);
	ws_reader_init(&reader, MAX_MESSAGE);
	buf_clear(&wire_in);
	buf_add_char(&wire_in, (char)byte0);
	buf_add_char(&wire_in, (char)byte1);
	assert_fault(code);
}

static void
heads_that_rfc_6455_forbids_are_protocol_errors(void **state)
{
	(void)state;
	assert_head_fault(FINAL | WS_OP_TEXT, 5, WS_CODE_PROTOCOL); /* not masked */
	for (int bit = 0x10; bit <= 0x40; bit <<= 1)
		assert_head_fault(FINAL | bit | WS_OP_TEXT, MASKED | 5, WS_CODE_PROTOCOL);
	for (int op = 3; op <= 7; op++)
		assert_head_fault(FINAL | op, MASKED, WS_CODE_PROTOCOL);
	for (int op = 11; op <= 15; op++)
		assert_head_fault(FINAL | op, MASKED, WS_CODE_PROTOCOL);
	assert_head_fault(FINAL | WS_OP_CONTINUATION, MASKED, WS_CODE_PROTOCOL);
	assert_head_fault(WS_OP_PING, MASKED, WS_CODE_PROTOCOL);               /* in fragments */
	assert_head_fault(FINAL | WS_OP_PING, MASKED | 126, WS_CODE_PROTOCOL); /* too long */
	assert_head_fault(FINAL | WS_OP_BINARY, MASKED | 1, WS_CODE_NOT_TEXT);
}

static void
a_new_message_inside_another_is_a_protocol_error(void **state)
{
	(void)state;
	add_frame(WS_OP_TEXT, STR("one"));
	add_frame(FINAL | WS_OP_TEXT, STR("two"));
	assert_fault(WS_CODE_PROTOCOL);
}

static void
a_length_in_a_longer_form_than_needed_is_a_protocol_error(void **state)
{
	static const char in_two[] = "\x81\xfe\0\5mask",
			  in_eight[] = "\x81\xff\0\0\0\0\0\0\1\0mask",
			  huge[] = "\x81\xff\xff\0\0\0\0\0\0\0mask";

	(void)state;
	buf_add(&wire_in, in_two, sizeof in_two - 1);
	assert_fault(WS_CODE_PROTOCOL);
	tear_down(NULL);
	set_up(NULL);
	buf_add(&wire_in, in_eight, sizeof in_eight - 1);
	assert_fault(WS_CODE_PROTOCOL);
	tear_down(NULL);
	set_up(NULL);
	buf_add(&wire_in, huge, sizeof huge - 1);
	assert_fault(WS_CODE_PROTOCOL);
}

static void
a_text_that_is_not_utf_8_is_told_so(void **state)
{
	(void)state;
	add_frame(FINAL | WS_OP_TEXT, STR("\xc3("));
	assert_fault(WS_CODE_NOT_UTF8);
}

static void
a_close_brings_its_code(void **state)
{
	(void)state;
	add_frame(FINAL | WS_OP_CLOSE, STR("\x03\xe9going"));
	assert_int_equal(first(), WS_CLOSE);
	assert_int_equal(got_code, 1001);
}

static void
a_close_without_a_code_is_one(void **state)
{
	(void)state;
	add_frame(FINAL | WS_OP_CLOSE, STR(""));
	assert_int_equal(first(), WS_CLOSE);
	assert_int_equal(got_code, 0);
}

static void
a_close_with_half_a_code_or_a_reserved_one_is_a_protocol_error(void **state)
{
	static const struct str bad[] = { { "\x03", 1 }, { "\x03\xed", 2 }, { "\x03\xee", 2 },
		{ "\x00\x01", 2 }, { "\x13\x88", 2 } };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		add_frame(FINAL | WS_OP_CLOSE, bad[i]);
		assert_fault(WS_CODE_PROTOCOL);
		tear_down(state);
		set_up(state);
	}
	add_frame(FINAL | WS_OP_CLOSE, STR("\x03\xe8\xff"));
	assert_fault(WS_CODE_NOT_UTF8);
}

static void
assert_frame(size_t payload, const char *head, size_t nhead)
{
	char bytes[70000];
	struct wire_bytes *f;

	memset(bytes, 'y', sizeof bytes);
	f = ws_frame(WS_OP_TEXT, (struct str){ bytes, payload });
	assert_int_equal(f->n, nhead + payload);
	assert_memory_equal(f->p, head, nhead);
	assert_memory_equal(f->p + nhead, bytes, payload);
	wire_bytes_unref(f);
}

static void
our_frames_tell_their_length_in_the_shortest_form(void **state)
{
	(void)state;
	assert_frame(125, "\x81\x7d", 2);
	assert_frame(126, "\x81\x7e\0\x7e", 4);
	assert_frame(65535, "\x81\x7e\xff\xff", 4);
	assert_frame(65536, "\x81\x7f\0\0\0\0\0\1\0\0", 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_text_is_unmasked),
		TEST(an_empty_text_is_a_message),
		TEST(fragments_are_joined_and_a_ping_may_come_between),
		TEST(bytes_may_come_one_by_one),
		TEST(a_message_up_to_the_limit_is_taken_and_one_beyond_is_not_even_read),
		TEST(fragments_together_have_the_same_limit),
		TEST(heads_that_rfc_6455_forbids_are_protocol_errors),
		TEST(a_new_message_inside_another_is_a_protocol_error),
		TEST(a_length_in_a_longer_form_than_needed_is_a_protocol_error),
		TEST(a_text_that_is_not_utf_8_is_told_so),
		TEST(a_close_brings_its_code),
		TEST(a_close_without_a_code_is_one),
		TEST(a_close_with_half_a_code_or_a_reserved_one_is_a_protocol_error),
		TEST(our_frames_tell_their_length_in_the_shortest_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

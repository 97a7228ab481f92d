/* common/crypto/seal: what is sealed opens in its place, under a key that is given, and not else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto/seal.h"

#include <sodium.h>

enum { ROOM = 4096 };

static const struct seal_place ours = { { { 1, 2 } }, "access_token" };

static struct seal_keys
keys_of(const char *current, const char *previous)
{
	struct seal_keys k;

	seal_keys_init(&k, str_of(current), str_of(previous));
	return k;
}

/* The sealed value; the caller releases it. */
static struct buf
sealed_under(const struct seal_keys *k, const char *plain)
{
	struct buf out = BUF(ROOM);

	seal_lock(k, ours, str_of(plain), &out);
	assert_false(out.failed);
	return out;
}

static bool
opens(const struct seal_keys *k, struct seal_place place, struct str sealed, const char *want)
{
	AUTO_RELEASE(buf_release) struct buf out = BUF(ROOM);
	struct err e;

	if (seal_open(k, place, sealed, &out, &e) != ERR_OK) {
		assert_int_equal(e.code, ERR_INTERNAL);
		assert_int_equal(out.n, 0);
		return false;
	}
	assert_string_equal(buf_c(&out), want);
	return true;
}

static void
what_is_sealed_opens_again(void **state)
{
	static const char *const texts[] = { "", "x", "a token with \xff bytes" };
	const struct seal_keys k = keys_of("key one", "");

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		AUTO_RELEASE(buf_release) struct buf s = sealed_under(&k, texts[i]);

		assert_true(opens(&k, ours, buf_str(&s), texts[i]));
	}
}

static void
the_same_text_is_never_sealed_alike_and_never_visible(void **state)
{
	const struct seal_keys k = keys_of("key one", "");
	AUTO_RELEASE(buf_release) struct buf a = sealed_under(&k, "a secret text");
	AUTO_RELEASE(buf_release) struct buf b = sealed_under(&k, "a secret text");

	(void)state;
	assert_int_equal(a.n, 1 + 8 + 24 + strlen("a secret text") + 16);
	assert_false(str_eq(buf_str(&a), buf_str(&b)));
	assert_null(memmem(a.p, a.n, "secret", 6));
	assert_null(memmem(a.p, a.n, "key one", 7));
}

static void
it_opens_in_its_own_place_only(void **state)
{
	const struct seal_keys k = keys_of("key one", "");
	AUTO_RELEASE(buf_release) struct buf s = sealed_under(&k, "text");
	const struct seal_place other_app = { { { 1, 3 } }, "access_token" };
	const struct seal_place other_column = { { { 1, 2 } }, "refresh_token" };

	(void)state;
	assert_false(opens(&k, other_app, buf_str(&s), ""));
	assert_false(opens(&k, other_column, buf_str(&s), ""));
}

static void
any_changed_bit_is_noticed(void **state)
{
	const struct seal_keys k = keys_of("key one", "");
	AUTO_RELEASE(buf_release) struct buf s = sealed_under(&k, "text");

	(void)state;
	for (size_t bit = 0; bit < s.n * 8; bit++) {
		s.p[bit / 8] ^= (char)(1 << bit % 8);
		assert_false(opens(&k, ours, buf_str(&s), ""));
		s.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < s.n; n++)
		assert_false(opens(&k, ours, (struct str){ s.p, n }, ""));
	assert_true(opens(&k, ours, buf_str(&s), "text"));
}

static void
the_key_before_opens_and_the_present_one_seals(void **state)
{
	const struct seal_keys before = keys_of("key one", "");
	const struct seal_keys rotating = keys_of("key two", "key one");
	const struct seal_keys after = keys_of("key two", "");
	AUTO_RELEASE(buf_release) struct buf s = sealed_under(&before, "text");
	AUTO_RELEASE(buf_release) struct buf anew = sealed_under(&rotating, "text");

	(void)state;
	assert_true(opens(&rotating, ours, buf_str(&s), "text"));
	assert_false(seal_is_current(&rotating, buf_str(&s)));
	assert_false(opens(&after, ours, buf_str(&s), ""));
	assert_true(seal_is_current(&rotating, buf_str(&anew)));
	assert_true(opens(&after, ours, buf_str(&anew), "text"));
	assert_false(opens(&before, ours, buf_str(&anew), ""));
}

static void
without_a_key_nothing_opens(void **state)
{
	const struct seal_keys none = keys_of("", "key one");
	const struct seal_keys k = keys_of("key one", "");
	AUTO_RELEASE(buf_release) struct buf s = sealed_under(&k, "text");

	(void)state;
	assert_int_equal(none.n, 0);
	assert_false(opens(&none, ours, buf_str(&s), ""));
	assert_false(seal_is_current(&none, buf_str(&s)));
}

static void
keys_can_be_wiped(void **state)
{
	static const struct seal_keys nothing;
	struct seal_keys k = keys_of("key one", "key two");

	(void)state;
	seal_keys_wipe(&k);
	assert_memory_equal(&k, &nothing, sizeof k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_opens_again),
		cmocka_unit_test(the_same_text_is_never_sealed_alike_and_never_visible),
		cmocka_unit_test(it_opens_in_its_own_place_only),
		cmocka_unit_test(any_changed_bit_is_noticed),
		cmocka_unit_test(the_key_before_opens_and_the_present_one_seals),
		cmocka_unit_test(without_a_key_nothing_opens),
		cmocka_unit_test(keys_can_be_wiped),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

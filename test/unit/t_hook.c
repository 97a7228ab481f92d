/* common/dialpad/hook. The secrets were computed with another HMAC than ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/dialpad/hook.h"

#include <sodium.h>

#define APP "0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2a"
#define MASTER STR("0123456789abcdef0123456789abcdef")

static struct hook
hook(const char *number)
{
	struct hook h;

	assert_true(hook_parse(STR(APP), str_of(number), &h));
	return h;
}

static void
assert_secret(struct str master, const char *number, const char *want)
{
	char secret[HOOK_SECRET_BYTES];

	hook_secret(master, hook(number), secret);
	assert_string_equal(secret, want);
}

static void
a_secret_follows_from_master_key_app_and_number(void **state)
{
	char long_key[100];

	(void)state;
	memset(long_key, 'k', sizeof long_key);
	assert_secret(MASTER, "1", "koAoEoBFYKzh_b2Ei2qYlpTG4lr4rWpboOLQstbNUKY");
	assert_secret(MASTER, "2", "YlUMrz7Z-ysMCYEMVhBn-TQ1z4eWpFxWmBv9yDEpxnA");
	assert_secret(MASTER, "2147483647", "gqwGA2G_E7P_xIs3nB7xmbJ_UDJrhvReHmyK8dCQE20");
	assert_secret((struct str){ long_key, sizeof long_key }, "1",
	    "bZws5YD5bOJl7ltCOMcISlDyaZ7ygVTEXR3WjnycpXw");
}

static void
a_fingerprint_tells_master_keys_apart(void **state)
{
	char one[HOOK_FINGERPRINT_BYTES], other[HOOK_FINGERPRINT_BYTES];

	(void)state;
	hook_fingerprint(MASTER, one);
	hook_fingerprint(STR("0123456789abcdef0123456789abcdeg"), other);
	assert_string_equal(one, "016bdfdf1c39e42d");
	assert_string_not_equal(one, other);
}

static void
a_path_parses_back_to_its_hook(void **state)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(100);
	struct str app, number;
	struct hook h = hook("2147483647"), back;

	(void)state;
	hook_path(h, &path);
	assert_string_equal(buf_c(&path), "/webhooks/dialpad/" APP "/2147483647");
	app = (struct str){ path.p + strlen("/webhooks/dialpad/"), strlen(APP) };
	number = STR("2147483647");
	assert_true(hook_parse(app, number, &back));
	assert_true(uuid_eq(h.app_id, back.app_id));
	assert_int_equal(back.number, INT32_MAX);
}

static void
any_other_spelling_of_a_number_is_no_hook(void **state)
{
	static const char *const bad[] = { "", "0", "00", "01", "+1", "-1", " 1", "1 ", "1\n",
		"1.0", "1e1", "0x1", "one", "2147483648", "4294967297", "18446744073709551617",
		"99999999999999999999999999" };
	struct hook h = { .number = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (hook_parse(STR(APP), str_of(bad[i]), &h))
			fail_msg("\"%s\" is taken for a hook", bad[i]);
	assert_false(hook_parse(STR(APP), STR("1\0"), &h));
	assert_false(hook_parse(STR(APP), STR_NONE, &h));
	assert_int_equal(h.number, 7);
}

static void
any_other_spelling_of_an_app_is_no_hook(void **state)
{
	static const char *const bad[] = { "", "0B0E7A52-4C3F-4B8E-9D1A-2F6C5E4D3B2A",
		"0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2A", "0b0e7a524c3f4b8e9d1a2f6c5e4d3b2a",
		"{0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2a}", "0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2",
		"0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2aa", "0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2g",
		"0b0e7a52 4c3f-4b8e-9d1a-2f6c5e4d3b2a" };
	struct hook h;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (hook_parse(str_of(bad[i]), STR("1"), &h))
			fail_msg("\"%s\" is taken for an app", bad[i]);
	assert_false(hook_parse(STR_NONE, STR("1"), &h));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_follows_from_master_key_app_and_number),
		cmocka_unit_test(a_fingerprint_tells_master_keys_apart),
		cmocka_unit_test(a_path_parses_back_to_its_hook),
		cmocka_unit_test(any_other_spelling_of_a_number_is_no_hook),
		cmocka_unit_test(any_other_spelling_of_an_app_is_no_hook),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

/* common/crypto/api_key: the keys of client apps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto/api_key.h"

#include <sodium.h>
#include <stdio.h>

#define SECRET "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_-_-_0"

static void
a_new_key_can_be_read(void **state)
{
	char text[API_KEY_BYTES];
	struct str id;

	(void)state;
	api_key_make(true, text);
	assert_int_equal(strlen(text), API_KEY_BYTES - 1);
	assert_memory_equal(text, "cti_live_", 9);
	assert_true(api_key_parse(str_of(text), &id));
	assert_int_equal(id.n, API_KEY_ID_CHARS);
	assert_ptr_equal(id.p, text + 9);
	api_key_make(false, text);
	assert_memory_equal(text, "cti_test_", 9);
	assert_true(api_key_parse(str_of(text), &id));
}

static void
no_two_keys_are_alike(void **state)
{
	char a[API_KEY_BYTES], b[API_KEY_BYTES];
	struct str ida, idb;

	(void)state;
	api_key_make(true, a);
	api_key_make(true, b);
	assert_true(api_key_parse(str_of(a), &ida));
	assert_true(api_key_parse(str_of(b), &idb));
	assert_false(str_eq(ida, idb));
	assert_string_not_equal(a + 22, b + 22);
}

static void
a_secret_may_hold_underscores(void **state)
{
	struct str id;

	(void)state;
	assert_true(api_key_parse(STR("cti_live_abcdefghij01_" SECRET), &id));
	assert_true(str_eq(id, STR("abcdefghij01")));
}

static void
anything_else_is_no_key(void **state)
{
	static const char *const texts[] = {
		"",
		"cti",
		"cti_live",
		"cti_live_abcdefghij01",
		"cti_live_abcdefghij01_",
		"cti_live_abcdefghij0_" SECRET,                       /* key id too short */
		"cti_live_ABCDEFGHIJ01_" SECRET,                      /* upper case in it */
		"cti_live_abcdefghijklmnopqrstuvwxyz0123456_" SECRET, /* too long */
		"cti_prod_abcdefghij01_" SECRET,                      /* no such environment */
		"CTI_live_abcdefghij01_" SECRET,
		"xcti_live_abcdefghij01_" SECRET,
		"cti_live_abcdefghij01_" SECRET "A",
		"cti_live_abcdefghij01_" SECRET "=",
		" cti_live_abcdefghij01_" SECRET,
		"cti_live_abcdefghij01_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_-_-_",
		"cti_live_abcdefghij01_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_-_+/0",
		/* its last character holds bits that no byte has */
		"cti_live_abcdefghij01_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_-_-_1",
	};
	struct str id = STR("untouched");

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (api_key_parse(str_of(texts[i]), &id))
			fail_msg("taken for a key: %s", texts[i]);
	}
	assert_false(api_key_parse(STR_NONE, &id));
	assert_true(str_eq(id, STR("untouched")));
}

static void
the_hash_is_hmac_sha256_of_the_whole_key(void **state)
{
	unsigned char hash[HMAC_BYTES];
	char hex[2 * HMAC_BYTES + 1];

	(void)state;
	/* printf %s cti_live_… | openssl dgst -sha256 -hmac pepper */
	api_key_hash(STR("pepper"), STR("cti_live_abcdefghij01_" SECRET), hash);
	assert_string_equal(sodium_bin2hex(hex, sizeof hex, hash, sizeof hash),
	    "0dace8ad86a6e0eaaf0ddbf2f9484b8e66b8c0374703ad858564727a5b341baa");
}

static void
the_hint_is_the_end_of_the_key(void **state)
{
	(void)state;
	assert_true(str_eq(api_key_hint(STR("cti_live_abcdefghij01_" SECRET)), STR("_-_0")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_key_can_be_read),
		cmocka_unit_test(no_two_keys_are_alike),
		cmocka_unit_test(a_secret_may_hold_underscores),
		cmocka_unit_test(anything_else_is_no_key),
		cmocka_unit_test(the_hash_is_hmac_sha256_of_the_whole_key),
		cmocka_unit_test(the_hint_is_the_end_of_the_key),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

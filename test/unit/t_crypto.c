/* common/crypto: base64url and hmac, which all else is built on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto/base64url.h"
#include "common/crypto/hmac.h"

#include <sodium.h>

enum { ROOM = 1 << 16 };

/* ---- base64url ---- */

static void
base64url_gives_the_examples_of_rfc_4648_without_padding(void **state)
{
	static const struct {
		const char *bytes, *text;
	} examples[] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-" } };

	(void)state;
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
		AUTO_RELEASE(buf_release) struct buf text = BUF(strlen(examples[i].text));
		AUTO_RELEASE(buf_release) struct buf bytes = BUF(strlen(examples[i].bytes));

		base64url_encode(str_of(examples[i].bytes), &text); /* just enough room */
		assert_false(text.failed);
		assert_string_equal(buf_c(&text), examples[i].text);
		assert_true(base64url_decode(str_of(examples[i].text), &bytes));
		assert_string_equal(buf_c(&bytes), examples[i].bytes);
	}
}

static void
base64url_refuses_every_other_spelling(void **state)
{
	static const char *const bad[] = { "Z", "Zg=", "Zg==", "Zm8=", "Zh", "Zm9", "Zm+v", "Zm/v",
		" Zg", "Zg ", "Zg\n", "Zm 9v", "Zm9v.", "Zm9v\xc3\xa9", "Zm9vY", "Zm9\xc4",
		"\xff\xff\xff\xff" };
	AUTO_RELEASE(buf_release) struct buf out = BUF(ROOM);

	(void)state;
	buf_add_c(&out, "kept");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (base64url_decode(str_of(bad[i]), &out))
			fail_msg("\"%s\" was decoded", bad[i]);
	assert_false(base64url_decode(STR("Zg\0"), &out));
	assert_string_equal(buf_c(&out), "kept");
	assert_false(out.failed);
}

static void
base64url_tells_too_long_from_wrong(void **state)
{
	AUTO_RELEASE(buf_release) struct buf small = BUF(2);

	(void)state;
	assert_false(base64url_decode(STR("Zm9v"), &small));
	assert_true(small.failed);
	assert_int_equal(small.n, 0);
}

/* ---- HMAC ---- */

static void
hmac_gives_the_examples_of_rfc_4231(void **state)
{
	char long_key[131], hex[2 * HMAC_BYTES + 1];
	unsigned char mac[HMAC_BYTES];

	(void)state;
	hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), mac);
	assert_string_equal(sodium_bin2hex(hex, sizeof hex, mac, sizeof mac),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(long_key, 0xaa, sizeof long_key);
	hmac_sha256((struct str){ long_key, sizeof long_key },
	    STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
	assert_string_equal(sodium_bin2hex(hex, sizeof hex, mac, sizeof mac),
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_gives_the_examples_of_rfc_4648_without_padding),
		cmocka_unit_test(base64url_refuses_every_other_spelling),
		cmocka_unit_test(base64url_tells_too_long_from_wrong),
		cmocka_unit_test(hmac_gives_the_examples_of_rfc_4231),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

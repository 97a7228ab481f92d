/* common/crypto/jws: what is genuine, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/crypto/base64url.h"
#include "common/crypto/hmac.h"
#include "common/crypto/jws.h"

#include <sodium.h>

enum { ROOM = 1 << 16 };

#define KEY STR("a secret of the tests")
#define CLAIMS STR("{\"call_id\":5137304475768569}")
#define HS256 STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")

/* ---- tokens, made here ---- */

/* header '.' claims '.' signature, each as base64url; a right signature over whatever they say. */
static struct str
signed_token(struct arena *a, struct str header, struct str claims, struct str key)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(ROOM);
	unsigned char mac[HMAC_BYTES];

	base64url_encode(header, &b);
	buf_add_char(&b, '.');
	base64url_encode(claims, &b);
	hmac_sha256(key, buf_str(&b), mac);
	buf_add_char(&b, '.');
	base64url_encode((struct str){ (const char *)mac, sizeof mac }, &b);
	assert_false(b.failed);
	return arena_dup(a, buf_str(&b));
}

static enum err_code
verify(struct str token, struct str key)
{
	AUTO_RELEASE(buf_release) struct buf claims = BUF(ROOM);
	struct err e;
	int which = -7;
	enum err_code rc = jws_verify(token, &key, 1, &which, &claims, &e);

	if (rc == ERR_OK) {
		assert_int_equal(which, 0);
	} else {
		assert_int_equal(which, -7);
		assert_int_equal(claims.n, 0);
		assert_int_equal(e.code, rc);
	}
	return rc;
}

static void
assert_refused(const char *why, struct str token)
{
	enum err_code rc = verify(token, KEY);

	if (rc != ERR_UNAUTHORIZED)
		fail_msg("%s: %s for %.*s", why, err_name(rc), STR_ARG(token));
}

static struct str
joined(struct arena *a, struct str x, struct str y)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(ROOM);

	buf_add_str(&b, x);
	buf_add_str(&b, y);
	return arena_dup(a, buf_str(&b));
}

/* ---- what is genuine ---- */

static void
the_example_of_rfc_7515_verifies(void **state)
{
	AUTO_RELEASE(buf_release) struct buf key = BUF(ROOM);
	AUTO_RELEASE(buf_release) struct buf claims = BUF(ROOM);
	struct str key_str;
	struct err e;
	int which;

	(void)state;
	assert_true(base64url_decode(STR("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
					 "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"),
	    &key));
	key_str = buf_str(&key);
	assert_int_equal(
	    jws_verify(STR("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
			   ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
			   "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
			   ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
		&key_str, 1, &which, &claims, &e),
	    ERR_OK);
	assert_string_equal(buf_c(&claims),
	    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
}

static void
claims_come_back_byte_for_byte_whatever_they_are(void **state)
{
	static const struct str claims[] = { { "", 0 }, { "no json", 7 }, { "{ \"a\" :\t1 }", 11 },
		{ "\xff\0\n", 3 } };
	AUTO_RELEASE(arena_release) struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
		AUTO_RELEASE(buf_release) struct buf out = BUF(claims[i].n);
		struct str token = signed_token(&a, HS256, claims[i], KEY);
		struct err e;
		int which;

		assert_int_equal(jws_verify(token, &KEY, 1, &which, &out, &e), ERR_OK);
		assert_true(str_eq(buf_str(&out), claims[i]));
	}
}

static void
a_header_may_say_more_than_the_algorithm(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;

	(void)state;
	arena_init(&a);
	assert_int_equal(
	    verify(
		signed_token(&a, STR("{\"kid\":\"1\",\"alg\":\"HS256\",\"x\":[{}]}"), CLAIMS, KEY),
		KEY),
	    ERR_OK);
	assert_int_equal(
	    verify(signed_token(&a, STR(" {\"alg\" : \"HS256\"}\n"), CLAIMS, KEY), KEY), ERR_OK);
}

static void
the_key_that_matches_is_named(void **state)
{
	const struct str keys[] = { STR("the new one"), KEY, STR("another") };
	AUTO_RELEASE(buf_release) struct buf claims = BUF(ROOM);
	AUTO_RELEASE(arena_release) struct arena a;
	struct err e;
	int which = -1;

	(void)state;
	arena_init(&a);
	assert_int_equal(
	    jws_verify(signed_token(&a, HS256, CLAIMS, KEY), keys, 3, &which, &claims, &e), ERR_OK);
	assert_int_equal(which, 1);
	assert_int_equal(
	    jws_verify(signed_token(&a, HS256, CLAIMS, KEY), keys, 1, &which, &claims, &e),
	    ERR_UNAUTHORIZED);
}

/* ---- what is not ---- */

static void
headers_that_ask_for_anything_else_are_refused_even_when_signed_right(void **state)
{
	static const char *const headers[] = { "{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
		"{\"alg\":\"HS384\"}", "{\"alg\":\"HS512\"}", "{\"alg\":\"RS256\"}",
		"{\"alg\":\"hs256\"}", "{\"alg\":\"HS256 \"}", "{\"alg\":\"HS256\\u0000\"}",
		"{\"alg\":\"\"}", "{\"alg\":null}", "{\"alg\":256}", "{\"alg\":[\"HS256\"]}",
		"{\"ALG\":\"HS256\"}", "{\"typ\":\"JWT\"}", "{}", "[]", "\"HS256\"", "null", "",
		"HS256", "{\"alg\":\"HS256\"", "{\"alg\":\"HS256\"}x",
		"{\"alg\":\"none\",\"alg\":\"HS256\"}", "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"HS256\",\"crit\":[]}", "{\"alg\":\"HS256\",\"crit\":null}",
		"{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}" };
	AUTO_RELEASE(arena_release) struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		assert_refused(headers[i], signed_token(&a, str_of(headers[i]), CLAIMS, KEY));
}

static void
a_deeply_nested_header_is_refused_before_it_costs_anything(void **state)
{
	static const int depths[] = { 100, 1000, 3000 };
	AUTO_RELEASE(arena_release) struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
		AUTO_RELEASE(buf_release) struct buf header = BUF(ROOM);

		buf_add_c(&header, "{\"alg\":\"HS256\",\"x\":");
		for (int n = 0; n < depths[i]; n++)
			buf_add_char(&header, '[');
		assert_refused("nested", signed_token(&a, buf_str(&header), CLAIMS, KEY));
		for (int n = 0; n < depths[i]; n++)
			buf_add_char(&header, ']');
		buf_add_char(&header, '}');
		assert_refused("nested", signed_token(&a, buf_str(&header), CLAIMS, KEY));
	}
}

static void
signatures_that_do_not_match_are_refused(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct str token, other, unsigned_part, rest;

	(void)state;
	arena_init(&a);
	token = signed_token(&a, HS256, CLAIMS, KEY);
	other = signed_token(&a, HS256, STR("{}"), KEY);
	unsigned_part = (struct str){ token.p, token.n - 43 };
	assert_refused("another key", signed_token(&a, HS256, CLAIMS, STR("a secret of the test")));
	assert_refused("no signature", unsigned_part);
	assert_refused("all zero",
	    joined(&a, unsigned_part, STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
	assert_refused("another's signature",
	    joined(&a, unsigned_part, (struct str){ other.p + other.n - 43, 43 }));
	(void)str_cut(token, '.', &rest);
	assert_refused("another's header", joined(&a, STR("eyJhbGciOiJub25lIn0."), rest));
	for (size_t i = 0; i < token.n; i++) {
		struct str changed = arena_dup(&a, token);

		*(char *)(changed.p + i) ^= 1;
		assert_refused("one bit changed", changed);
	}
}

/* 43 characters carry 258 bits: two belong to nothing and must be zero. */
static void
a_signature_has_one_spelling(void **state)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	AUTO_RELEASE(arena_release) struct arena a;
	struct str token, cut;
	size_t last;

	(void)state;
	arena_init(&a);
	token = signed_token(&a, HS256, CLAIMS, KEY);
	cut = (struct str){ token.p, token.n - 1 };
	last = (size_t)(strchr(alphabet, token.p[token.n - 1]) - alphabet);
	assert_int_equal(last % 4, 0);
	for (size_t i = 1; i < 4; i++)
		assert_refused(
		    "stray bits", joined(&a, cut, (struct str){ &alphabet[last + i], 1 }));
	assert_refused("padded", joined(&a, token, STR("=")));
	assert_refused("too long", joined(&a, token, STR("A")));
	assert_refused("line feed", joined(&a, token, STR("\n")));
	assert_refused("NUL", joined(&a, token, STR("\0")));
}

static void
what_is_not_three_parts_is_refused(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct str token, header, claims, rest;

	(void)state;
	arena_init(&a);
	token = signed_token(&a, HS256, CLAIMS, KEY);
	header = str_cut(token, '.', &rest);
	claims = str_cut(rest, '.', &rest);
	assert_refused("nothing", STR(""));
	assert_refused("no string", STR_NONE);
	assert_refused("dots", STR("."));
	assert_refused("dots", STR(".."));
	assert_refused("dots", STR("..."));
	assert_refused("one part", header);
	assert_refused("two parts", joined(&a, header, joined(&a, STR("."), claims)));
	assert_refused("four parts", joined(&a, token, STR(".")));
	assert_refused("four parts", joined(&a, token, joined(&a, STR("."), claims)));
	assert_refused("blank in front", joined(&a, STR(" "), token));
	assert_refused("quoted", joined(&a, STR("\""), joined(&a, token, STR("\""))));
	assert_refused("unsigned JSON", CLAIMS);
}

/* Base64url of the claims with a blank or padding inside, signed as it stands. */
static void
claims_that_are_no_base64url_are_refused_even_when_signed_right(void **state)
{
	static const char *const parts[] = { "eyJh IjoxfQ",
		"eyJhIjoxfQ=", "eyJhIjoxfQ==", "eyJhIjoxfR", "eyJh\nIjoxfQ", "eyJhIjoxf", "e+Jh",
		"e/Jh" };
	AUTO_RELEASE(arena_release) struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		AUTO_RELEASE(buf_release) struct buf b = BUF(ROOM);
		unsigned char mac[HMAC_BYTES];

		base64url_encode(HS256, &b);
		buf_add_fmt(&b, ".%s", parts[i]);
		hmac_sha256(KEY, buf_str(&b), mac);
		buf_add_char(&b, '.');
		base64url_encode((struct str){ (const char *)mac, sizeof mac }, &b);
		assert_refused(parts[i], arena_dup(&a, buf_str(&b)));
	}
}

/* Copied to memory of just that size: nothing behind the end may be read. */
static void
every_truncation_is_refused(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct str token;

	(void)state;
	arena_init(&a);
	token = signed_token(&a, HS256, CLAIMS, KEY);
	for (size_t n = 0; n < token.n; n++) {
		char *exact = malloc(n + 1);

		memcpy(exact + 1, token.p, n);
		assert_refused("truncated", (struct str){ exact + 1, n });
		free(exact);
	}
	assert_int_equal(verify(token, KEY), ERR_OK);
}

static void
claims_beyond_the_limit_are_too_large(void **state)
{
	AUTO_RELEASE(buf_release) struct buf claims = BUF(CLAIMS.n - 1);
	AUTO_RELEASE(arena_release) struct arena a;
	struct err e;
	int which;

	(void)state;
	arena_init(&a);
	assert_int_equal(
	    jws_verify(signed_token(&a, HS256, CLAIMS, KEY), &KEY, 1, &which, &claims, &e),
	    ERR_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_7515_verifies),
		cmocka_unit_test(claims_come_back_byte_for_byte_whatever_they_are),
		cmocka_unit_test(a_header_may_say_more_than_the_algorithm),
		cmocka_unit_test(the_key_that_matches_is_named),
		cmocka_unit_test(
		    headers_that_ask_for_anything_else_are_refused_even_when_signed_right),
		cmocka_unit_test(a_deeply_nested_header_is_refused_before_it_costs_anything),
		cmocka_unit_test(signatures_that_do_not_match_are_refused),
		cmocka_unit_test(a_signature_has_one_spelling),
		cmocka_unit_test(what_is_not_three_parts_is_refused),
		cmocka_unit_test(claims_that_are_no_base64url_are_refused_even_when_signed_right),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(claims_beyond_the_limit_are_too_large),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

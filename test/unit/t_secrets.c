/* ingestd/secrets: which of two secrets a webhook was signed with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/metric.h"
#include "common/crypto/base64url.h"
#include "common/crypto/hmac.h"
#include "ingestd/secrets.h"

#include <sodium.h>

#define NEW_KEY "the master key that is in use now"
#define OLD_KEY "the master key that was in use before"
#define NEW_BARE "a new secret"
#define OLD_BARE "an old, secret" /* a comma is nothing special */
#define CLAIMS STR("{\"call_id\":1}")

static const struct hook hook = { { { 0x10, 2, 3 } }, 7 };

static struct secrets
configured(const char *master, const char *master_before, const char *bare, const char *bare_before)
{
	struct conf c = {
		.master_key = master,
		.master_key_previous = master_before,
		.webhook_secret = bare,
		.webhook_secret_previous = bare_before,
	};
	struct secrets s;

	secrets_init(&s, &c);
	return s;
}

static void
sign(struct str key, struct buf *token)
{
	unsigned char mac[HMAC_BYTES];

	buf_clear(token);
	base64url_encode(STR("{\"alg\":\"HS256\"}"), token);
	buf_add_char(token, '.');
	base64url_encode(CLAIMS, token);
	hmac_sha256(key, buf_str(token), mac);
	buf_add_char(token, '.');
	base64url_encode((struct str){ (const char *)mac, sizeof mac }, token);
}

static enum err_code
verify(const struct secrets *s, const struct hook *h, struct str key)
{
	AUTO_RELEASE(buf_release) struct buf token = BUF(1000);
	AUTO_RELEASE(buf_release) struct buf claims = BUF(1000);
	struct err e;
	enum err_code rc;

	sign(key, &token);
	rc = secrets_verify(s, h, buf_str(&token), &claims, &e);
	assert_true(rc != ERR_OK || str_eq(buf_str(&claims), CLAIMS));
	return rc;
}

static enum err_code
verify_hook(const struct secrets *s, const char *master, struct hook signed_for)
{
	char secret[HOOK_SECRET_BYTES];

	hook_secret(str_of(master), signed_for, secret);
	return verify(s, &hook, str_of(secret));
}

/* How often each of the four has matched so far, as /metrics shows it. */
static int64_t
count(const char *which)
{
	AUTO_RELEASE(buf_release) struct buf page = BUF(1 << 20), line = BUF(100);
	const char *at;

	metric_render(&page);
	buf_add_fmt(&line, "\ncti_ingest_verified_total{secret=\"%s\"} ", which);
	at = strstr(buf_c(&page), buf_c(&line));
	assert_non_null(at);
	return strtoll(at + line.n, NULL, 10);
}

static void
hooks_are_verified_with_either_master_key_and_counted_apart(void **state)
{
	struct secrets s = configured(NEW_KEY, OLD_KEY, "", "");
	int64_t now = count("hook_current"), before = count("hook_previous");

	(void)state;
	assert_int_equal(verify_hook(&s, NEW_KEY, hook), ERR_OK);
	assert_int_equal(count("hook_current"), now + 1);
	assert_int_equal(count("hook_previous"), before);
	assert_int_equal(verify_hook(&s, OLD_KEY, hook), ERR_OK);
	assert_int_equal(verify_hook(&s, OLD_KEY, hook), ERR_OK);
	assert_int_equal(count("hook_current"), now + 1);
	assert_int_equal(count("hook_previous"), before + 2);
}

static void
the_secret_of_another_hook_app_or_key_is_refused_and_not_counted(void **state)
{
	struct secrets s = configured(NEW_KEY, "", NEW_BARE, "");
	struct hook other_number = hook, other_app = hook;
	int64_t now = count("hook_current"), before = count("hook_previous");

	(void)state;
	other_number.number = 8;
	other_app.app_id.b[15] = 1;
	assert_int_equal(verify_hook(&s, NEW_KEY, other_number), ERR_UNAUTHORIZED);
	assert_int_equal(verify_hook(&s, NEW_KEY, other_app), ERR_UNAUTHORIZED);
	assert_int_equal(verify_hook(&s, OLD_KEY, hook), ERR_UNAUTHORIZED);
	/* Neither the bare secret nor the master key itself signs a hook. */
	assert_int_equal(verify(&s, &hook, STR(NEW_BARE)), ERR_UNAUTHORIZED);
	assert_int_equal(verify(&s, &hook, STR(NEW_KEY)), ERR_UNAUTHORIZED);
	assert_int_equal(count("hook_current"), now);
	assert_int_equal(count("hook_previous"), before);
}

static void
the_bare_route_has_two_secrets_of_its_own(void **state)
{
	struct secrets s = configured(NEW_KEY, "", NEW_BARE, OLD_BARE);
	int64_t now = count("bare_current"), before = count("bare_previous");

	(void)state;
	assert_int_equal(verify(&s, NULL, STR(NEW_BARE)), ERR_OK);
	assert_int_equal(verify(&s, NULL, STR(OLD_BARE)), ERR_OK);
	assert_int_equal(verify(&s, NULL, STR("an old")), ERR_UNAUTHORIZED);
	assert_int_equal(verify(&s, NULL, STR(NEW_KEY)), ERR_UNAUTHORIZED);
	assert_int_equal(count("bare_current"), now + 1);
	assert_int_equal(count("bare_previous"), before + 1);
}

static void
a_previous_secret_alone_is_enough(void **state)
{
	struct secrets s = configured("", OLD_KEY, "", OLD_BARE);
	int64_t before = count("hook_previous");

	(void)state;
	assert_int_equal(verify_hook(&s, OLD_KEY, hook), ERR_OK);
	assert_int_equal(verify(&s, NULL, STR(OLD_BARE)), ERR_OK);
	assert_int_equal(count("hook_previous"), before + 1);
}

static void
a_route_without_a_secret_is_unavailable_and_says_what_is_missing(void **state)
{
	struct secrets s = configured("", "", "", "");
	AUTO_RELEASE(buf_release) struct buf claims = BUF(1000);
	struct err e;

	(void)state;
	assert_int_equal(secrets_verify(&s, &hook, STR("a.b.c"), &claims, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "WEBHOOK_MASTER_KEY"));
	assert_int_equal(secrets_verify(&s, NULL, STR("a.b.c"), &claims, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "DIALPAD_WEBHOOK_SECRET"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hooks_are_verified_with_either_master_key_and_counted_apart),
		cmocka_unit_test(the_secret_of_another_hook_app_or_key_is_refused_and_not_counted),
		cmocka_unit_test(the_bare_route_has_two_secrets_of_its_own),
		cmocka_unit_test(a_previous_secret_alone_is_enough),
		cmocka_unit_test(a_route_without_a_secret_is_unavailable_and_says_what_is_missing),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

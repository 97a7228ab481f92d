/* workerd/watch: what is sent to ALERT_WEBHOOK_URL is signed as Standard Webhooks says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workerd/watch/alerts.h"

/* The example of the specification of Standard Webhooks. */
static void
a_signature_is_that_of_the_specification(void **state)
{
	AUTO_RELEASE(buf_release) struct buf key = BUF(100);
	AUTO_RELEASE(buf_release) struct buf signature = BUF(100);

	(void)state;
	alerts_key(STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &key);
	assert_int_equal(key.n, 24);
	alerts_sign(buf_str(&key), STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), STR("1614265330"),
	    STR("{\"test\": 2432232314}"), &signature);
	assert_string_equal(buf_c(&signature), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void
a_secret_without_the_prefix_is_used_as_it_is(void **state)
{
	AUTO_RELEASE(buf_release) struct buf key = BUF(100);

	(void)state;
	alerts_key(STR("a plain secret of our own"), &key);
	assert_string_equal(buf_c(&key), "a plain secret of our own");
	alerts_key(STR("whsec_no base64!"), &key);
	assert_string_equal(buf_c(&key), "whsec_no base64!");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_that_of_the_specification),
		cmocka_unit_test(a_secret_without_the_prefix_is_used_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

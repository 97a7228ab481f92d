/* common/conf: the options about Dialpad that depend on each other. */
#include "test/unit/conf_kit.h"

#define SANDBOX(name, value) "DIALPAD_SANDBOX_" name "=" value

static void
dialpads_options_are_those_of_the_environment(void **state)
{
	struct conf c = load(CONF_APID,
	    ENV(DB, PEPPER, SANDBOX("CLIENT_ID", "sid"), SANDBOX("CLIENT_SECRET", "ssecret"),
		SANDBOX("REDIRECT_URI", "https://x.example:8443/cti/auth/dialpad/callback"),
		SANDBOX("BASE_URL", "http://127.0.0.1:9//"), "DIALPAD_PROD_CLIENT_ID=pid"));

	(void)state;
	assert_string_equal(c.dialpad.client_id, "sid");
	assert_string_equal(c.dialpad.client_secret, "ssecret");
	assert_string_equal(c.dialpad.base_url, "http://127.0.0.1:9");
	assert_string_equal(c.dialpad.client_id_name, "DIALPAD_SANDBOX_CLIENT_ID");
	assert_string_equal(c.public_api_url, "https://x.example:8443");
	conf_release(&c);
	c = load(CONF_WORKERD,
	    ENV(DB, "NODE_ENV=production", "DIALPAD_PROD_CLIENT_ID=pid",
		"DIALPAD_PROD_CLIENT_SECRET=psecret", "TOKEN_ENCRYPTION_KEY=" KEY32,
		"WEBHOOK_MASTER_KEY=" KEY32, SANDBOX("CLIENT_ID", "sid")));
	assert_string_equal(c.dialpad.client_id, "pid");
	assert_string_equal(c.dialpad.base_url, "https://dialpad.com");
	conf_release(&c);
}

static void
half_a_client_is_a_fault_and_none_is_not(void **state)
{
	struct conf c = load(CONF_APID, ENV(DB, PEPPER));

	(void)state;
	assert_string_equal(c.dialpad.client_id, "");
	assert_string_equal(c.dialpad.base_url, "https://sandbox.dialpad.com");
	conf_release(&c);
	assert_fault(CONF_APID, ENV(DB, PEPPER, SANDBOX("CLIENT_ID", "x")),
	    "DIALPAD_SANDBOX_CLIENT_SECRET is missing");
	assert_fault(CONF_APID,
	    ENV(DB, PEPPER, SANDBOX("CLIENT_ID", "x"), SANDBOX("CLIENT_SECRET", "secret")),
	    "DIALPAD_SANDBOX_REDIRECT_URI is missing");
	assert_fault(CONF_WORKERD, ENV(DB, SANDBOX("CLIENT_SECRET", "secret")),
	    "DIALPAD_SANDBOX_CLIENT_ID is missing");
	c = load(
	    CONF_WORKERD, ENV(DB, SANDBOX("CLIENT_ID", "x"), SANDBOX("CLIENT_SECRET", "secret")));
	conf_release(&c);
}

static void
dialpads_urls_are_https_in_production(void **state)
{
	static const char *const bad[] = { "DIALPAD_PROD_REDIRECT_URI=http://x.example/cb",
		"DIALPAD_PROD_BASE_URL=http://127.0.0.1:1", "DIALPAD_PROD_BASE_URL=dialpad.com",
		"DIALPAD_PROD_REDIRECT_URI=https://x.example/cb#f",
		"DIALPAD_PROD_REDIRECT_URI=https:///cb" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_fault(
		    CONF_APID, ENV(DB, PEPPER, "DIALPAD_ENV=production", bad[i]), "DIALPAD_PROD_");
	assert_fault(CONF_APID, ENV(DB, PEPPER, SANDBOX("REDIRECT_URI", "x")),
	    "DIALPAD_SANDBOX_REDIRECT_URI: \"x\" is no");
}

static void
scopes_lose_quotes_doubles_and_the_one_that_does_not_exist(void **state)
{
	static const struct {
		const char *variable, *want;
	} cases[] = {
		{ "X=", "calls:list recordings_export message_content_export offline_access" },
		{ "DIALPAD_SCOPES=\"webhook calls:list offline_access recordings_export\"",
		    "calls:list offline_access recordings_export" },
		{ "DIALPAD_SCOPES='a b'", "a b" },
		{ "DIALPAD_SCOPES=a,b  a\tc", "a b c" },
		{ "DIALPAD_SCOPES=\"a b", "\"a b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct conf c = load(CONF_APID, ENV(DB, PEPPER, cases[i].variable));

		assert_string_equal(c.dialpad.scopes, cases[i].want);
		conf_release(&c);
	}
}

static void
scopes_that_disappoint_are_warned_of(void **state)
{
	AUTO_RELEASE(buf_release) struct buf out = BUF(4096);
	struct conf c = load(CONF_APID,
	    ENV(DB, PEPPER, SANDBOX("CLIENT_ID", "x"), SANDBOX("CLIENT_SECRET", "secret"),
		SANDBOX("REDIRECT_URI", "http://127.0.0.1/cb"),
		"DIALPAD_SCOPES=\"webhook calls:list\""));

	(void)state;
	conf_warnings(&c, &out);
	conf_release(&c);
	assert_non_null(strstr(buf_c(&out), "left out \"webhook\""));
	assert_non_null(strstr(buf_c(&out), "lacks message_content_export"));
	assert_non_null(strstr(buf_c(&out), "lacks offline_access"));
	c = load(CONF_APID, ENV(DB, PEPPER));
	buf_clear(&out);
	conf_warnings(&c, &out);
	conf_release(&c);
	assert_int_equal(out.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialpads_options_are_those_of_the_environment),
		cmocka_unit_test(half_a_client_is_a_fault_and_none_is_not),
		cmocka_unit_test(dialpads_urls_are_https_in_production),
		cmocka_unit_test(scopes_lose_quotes_doubles_and_the_one_that_does_not_exist),
		cmocka_unit_test(scopes_that_disappoint_are_warned_of),
	};
	int failed;

	buf_init(&faults, 65536);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_release(&faults);
	return failed;
}

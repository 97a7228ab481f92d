/* common/base/log, log_redact and utf8: what a line looks like and what it never shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/utf8.h"

#include <cJSON.h>
#include <pthread.h>
#include <stdlib.h>

static struct buf lines;
static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;

static void
capture(struct str line, void *arg)
{
	pthread_mutex_lock(&lines_lock);
	buf_add_str(arg, line);
	buf_add_char(arg, '\n');
	pthread_mutex_unlock(&lines_lock);
}

static void
use(enum log_level level, bool json)
{
	log_init(&(struct log_opts){ .daemon = "testd", .level = level, .json = json });
	buf_clear(&lines);
	log_context_clear();
}

static int
setup(void **state)
{
	(void)state;
	lines = BUF(4 << 20);
	log_redirect(capture, &lines);
	use(LOG_DEBUG, true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_redirect(NULL, NULL);
	buf_release(&lines);
	return 0;
}

static void
assert_logged(const char *part)
{
	if (strstr(buf_c(&lines), part) == NULL)
		fail_msg("no %s in %s", part, buf_c(&lines));
}

static void
assert_not_logged(const char *part)
{
	if (strstr(buf_c(&lines), part) != NULL)
		fail_msg("%s in %s", part, buf_c(&lines));
}

/* The value of a key of the only line. */
static const char *
member(const char *key)
{
	static char value[8192];
	cJSON *j = cJSON_Parse(buf_c(&lines));
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(j, key);

	assert_non_null(j);
	value[0] = '\0';
	if (cJSON_IsString(item)) {
		assert_true(strlen(item->valuestring) < sizeof value);
		memcpy(value, item->valuestring, strlen(item->valuestring) + 1);
	}
	cJSON_Delete(j);
	return value;
}

static void
a_json_line_has_the_fixed_keys_in_order(void **state)
{
	(void)state;
	log_context_set("req-1", "app-1");
	log_info("call.upserted", "state=%s", "hangup");
	assert_logged("{\"ts\":\"2");
	assert_logged("Z\",\"level\":\"info\",\"daemon\":\"testd\",\"event\":\"call.upserted\","
		      "\"msg\":\"state=hangup\",\"request_id\":\"req-1\",\"app_id\":\"app-1\"}\n");
}

static void
an_error_line_names_class_and_sqlstate(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_CONFLICT, "duplicate %d", 7);
	memcpy(e.sqlstate, "23505", 6);
	log_err(LOG_ERROR, "db.failed", &e);
	assert_logged("\"level\":\"error\"");
	assert_logged("\"msg\":\"duplicate 7\",\"err\":\"CONFLICT\",\"sqlstate\":\"23505\"}");
}

static void
the_context_ends_when_it_is_cleared(void **state)
{
	(void)state;
	log_context_set("req-1", "");
	log_info("a", "x");
	assert_logged("\"request_id\":\"req-1\"}");
	assert_not_logged("app_id");
	use(LOG_DEBUG, true);
	log_info("a", "x");
	assert_logged("\"msg\":\"x\"}");
}

static void
lines_below_the_level_are_left_out(void **state)
{
	(void)state;
	use(LOG_WARN, true);
	log_debug("a", "debug");
	log_info("a", "info");
	assert_string_equal(buf_c(&lines), "");
	assert_false(log_enabled(LOG_INFO));
	log_warn("a", "x");
	log_error("a", "y");
	assert_logged("\"warn\"");
	assert_logged("\"error\"");
}

static void
level_names_are_parsed(void **state)
{
	enum log_level level = LOG_WARN;

	(void)state;
	assert_true(log_level_parse(STR("debug"), &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_false(log_level_parse(STR("INFO"), &level));
	assert_false(log_level_parse(STR(""), &level));
	assert_int_equal(level, LOG_DEBUG);
}

static void
control_characters_and_quotes_are_escaped(void **state)
{
	(void)state;
	log_info("a", "%s", "q\" b\\ n\n r\r t\t \x01 \x1f \x7f");
	assert_logged("\"msg\":\"q\\\" b\\\\ n\\n r\\r t\\t \\u0001 \\u001f \\u007f\"");
	assert_string_equal(member("msg"), "q\" b\\ n\n r\r t\t \x01 \x1f \x7f");
}

static void
bad_utf_8_is_replaced_and_good_is_kept(void **state)
{
	(void)state;
	log_info("a", "%s",
	    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xff \xc0\xaf \xed\xa0\x80 \xe2\x82");
	assert_logged("\"msg\":\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd "
		      "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
		      "\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void
utf_8_sequences_are_measured(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "a", 1 },
		{ "", 0 },
		{ "\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xc2", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 0 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xef\xbf", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xf1\x80\x80", 0 },
		{ "\xe1\x80\x41", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(utf8_length(str_of(cases[i].text)), cases[i].n);
}

static void
a_text_line_has_one_line_only(void **state)
{
	(void)state;
	use(LOG_INFO, false);
	log_context_set("req-1", "");
	log_warn("hook.bad", "first\n2026 error testd forged");
	assert_logged(" warn testd hook.bad first\\n2026 error testd forged request_id=req-1\n");
}

static void
long_lines_are_cut_and_stay_json(void **state)
{
	char *text = malloc(200001);

	(void)state;
	assert_non_null(text);
	for (int c = 0; c < 4; c++) {
		use(LOG_INFO, true);
		memset(text, "a\x01\xff\""[c], 200000);
		text[200000] = '\0';
		log_context_set(text, text);
		log_info(text, "%s", text);
		assert_true(lines.n <= 4096);
		assert_string_equal(member("level"), "info");
		assert_logged("\xe2\x80\xa6\",\"request_id\"");
		assert_true(strlen(member("app_id")) > 0);
	}
	free(text);
}

static void
registered_secrets_are_never_printed(void **state)
{
	struct err e;

	(void)state;
	log_register_secret(STR("s3cr3t-value"));
	log_register_secret(STR("s3cr3t-value"));
	log_register_secret(STR("s3cr3t-value-and-more"));
	log_register_secret(STR("quote\"d\\secret"));
	log_register_secret(STR("short"));
	log_info("a", "1=%s 2=%s3 short %s", "s3cr3t-value", "s3cr3t-value", "quote\"d\\secret");
	err_set(&e, ERR_INTERNAL, "with s3cr3t-value-and-more");
	log_err(LOG_ERROR, "b", &e);
	log_context_set("s3cr3t-value", "s3cr3t-value");
	log_info("c", "x");
	assert_logged("\"msg\":\"1=*** 2=***3 short ***\"");
	assert_logged("\"msg\":\"with ***\"");
	assert_logged("\"request_id\":\"***\",\"app_id\":\"***\"");
	assert_not_logged("s3cr3t");
	assert_not_logged("and-more");
	assert_not_logged("quote");
}

static void
a_secret_across_the_cut_is_not_half_printed(void **state)
{
	char text[8192];

	(void)state;
	log_register_secret(STR("0123456789-long-secret"));
	for (size_t at = 2950; at < 3010; at++) {
		use(LOG_INFO, true);
		memset(text, 'x', sizeof text);
		memcpy(text + at, "0123456789-long-secret", 22);
		text[at + 2000] = '\0';
		log_info("a", "%s", text);
		assert_not_logged("012");
	}
}

static void
values_that_look_like_credentials_are_not_printed(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "token eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl end", "token *** end" },
		{ "(eyJhbGciOiJIUzI1NiJ9.eyJh)", "(***)" },
		{ "key cti_live_0123456789ab_Zm9vYmFy-_x, next", "key ***, next" },
		{ "x-app-api-key:cti_sandbox_aaaaaaaaaaaaaaaaaaaaaaa", "x-app-api-key:***" },
		{ "Authorization: Bearer abc.def+/=~ rest", "Authorization: Bearer *** rest" },
		{ "bearer x", "bearer *" },
		{ "BEARER   abcdef", "BEARER   ***" },
		{ "bearer of news", "bearer ** news" },
		{ "role cti_worker, eyJ, eye, Bearer", "role cti_worker, eyJ, eye, Bearer" },
		{ "bearer ", "bearer " },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		use(LOG_INFO, true);
		log_info("a", "%s", cases[i].text);
		assert_string_equal(member("msg"), cases[i].want);
	}
}

static void *
write_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		log_register_secret(STR("shared-secret"));
		log_context_set("req", "app");
		log_info("a", "shared-secret %d", i);
	}
	return NULL;
}

static void
threads_write_and_register_at_once(void **state)
{
	pthread_t threads[4];
	size_t n = 0;

	(void)state;
	for (int t = 0; t < 4; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, write_many, NULL), 0);
	for (int t = 0; t < 4; t++)
		pthread_join(threads[t], NULL);
	for (size_t i = 0; i < lines.n; i++)
		n += lines.p[i] == '\n';
	assert_int_equal(n, 800);
	assert_not_logged("shared-secret");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_json_line_has_the_fixed_keys_in_order),
		TEST(an_error_line_names_class_and_sqlstate),
		TEST(the_context_ends_when_it_is_cleared),
		TEST(lines_below_the_level_are_left_out),
		TEST(level_names_are_parsed),
		TEST(control_characters_and_quotes_are_escaped),
		TEST(bad_utf_8_is_replaced_and_good_is_kept),
		TEST(utf_8_sequences_are_measured),
		TEST(a_text_line_has_one_line_only),
		TEST(long_lines_are_cut_and_stay_json),
		TEST(registered_secrets_are_never_printed),
		TEST(a_secret_across_the_cut_is_not_half_printed),
		TEST(values_that_look_like_credentials_are_not_printed),
		TEST(threads_write_and_register_at_once),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

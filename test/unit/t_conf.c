/* common/conf: from environment to struct conf, and every fault at once. */
#include "test/unit/conf_kit.h"

#include "common/base/log.h"

static void
what_is_unset_has_its_default(void **state)
{
	struct conf c = load(CONF_INGESTD, ENV(DB));

	(void)state;
	assert_string_equal(c.dialpad_env, "sandbox");
	assert_false(c.production);
	assert_string_equal(c.log_level, "info");
	assert_string_equal(c.database_url, "postgresql://u:p@h/d");
	assert_string_equal(c.webhook_secret, "");
	assert_int_equal(c.http_threads, 64);
	assert_int_equal(c.ingest_max_body, 2097152);
	assert_false(c.db_ssl);
	assert_int_equal(conf_port(&c, CONF_INGESTD), 4001);
	assert_int_equal(conf_ops_port(&c), 4101);
	conf_release(&c);
}

static void
values_are_read_and_trimmed(void **state)
{
	struct conf c = load(CONF_WORKERD,
	    ENV(DB, "WORKER_BATCH= 7 ", "DB_SSL=Yes", "LOG_FORMAT=text",
		"LOG_LEVEL=", "WORKER_BATCH=8", "WEBHOOK_MASTER_KEY= \"" KEY32 "\"\n"));

	(void)state;
	assert_int_equal(c.worker_batch, 7);
	assert_true(c.db_ssl);
	assert_string_equal(c.log_format, "text");
	assert_string_equal(c.log_level, "info");
	assert_string_equal(c.master_key, "\"" KEY32 "\"");
	conf_release(&c);
}

static void
options_of_other_daemons_are_not_looked_at(void **state)
{
	struct conf c = load(CONF_INGESTD, ENV(DB, "WORKER_BATCH=many", "API_KEY_PEPPER=short"));

	(void)state;
	assert_int_equal(c.worker_batch, 500);
	assert_string_equal(c.api_key_pepper, "");
	conf_release(&c);
}

static void
the_own_port_wins_over_port_and_port_over_the_default(void **state)
{
	struct conf c = load(CONF_APID, ENV(DB, PEPPER, "PORT=5000"));

	(void)state;
	assert_int_equal(conf_port(&c, CONF_APID), 5000);
	assert_int_equal(c.port, 5000);
	assert_int_equal(conf_ops_port(&c), 5100);
	assert_string_equal(c.public_api_url, "http://127.0.0.1:5000");
	assert_string_equal(c.public_ingest_url, "http://127.0.0.1:5000");
	conf_release(&c);
	c = load(CONF_APID,
	    ENV(DB, PEPPER, "PORT=5000", "APID_PORT=6000", "INGESTD_PORT=7000", "OPS_PORT=6001"));
	assert_int_equal(conf_port(&c, CONF_APID), 6000);
	assert_int_equal(c.port, 6000);
	assert_int_equal(conf_ops_port(&c), 6001);
	conf_release(&c);
	assert_fault(CONF_INGESTD, ENV(DB, "PORT=65500"), "OPS_PORT is missing");
	assert_fault(CONF_INGESTD, ENV(DB, "PORT=80", "OPS_PORT=80"), "OPS_PORT: 80 is");
}

/* "NAME_FILE=path" of a new file with this content; freed and unlinked by drop_file. */
static char *
file_variable(const char *name, const char *content, size_t n)
{
	char path[] = "/tmp/t_conf_XXXXXX", *variable;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, n), n);
	close(fd);
	assert_true(asprintf(&variable, "%s_FILE=%s", name, path) > 0);
	return variable;
}

static void
drop_file(char *variable)
{
	unlink(strchr(variable, '=') + 1);
	free(variable);
}

static void
name_file_gives_the_content_of_a_file(void **state)
{
	char *key = file_variable("API_KEY_PEPPER", "\n " KEY32 " \n", 35);
	char *batch = file_variable("API_DEFAULT_WINDOW_HOURS", "48\n", 3);
	struct conf c = load(CONF_APID, ENV(DB, key, batch));

	(void)state;
	assert_string_equal(c.api_key_pepper, KEY32);
	assert_int_equal(c.api_default_window_hours, 48);
	conf_release(&c);
	assert_fault(
	    CONF_APID, ENV(DB, key, PEPPER), "API_KEY_PEPPER and API_KEY_PEPPER_FILE are both");
	drop_file(key);
	drop_file(batch);
}

static void
files_that_cannot_be_used_are_faults(void **state)
{
	char *big = calloc(1, 70000), *variable;

	(void)state;
	assert_fault(CONF_APID, ENV(DB, "API_KEY_PEPPER_FILE=/nonexistent/x"),
	    "API_KEY_PEPPER_FILE: cannot read /nonexistent/x: No such file");
	assert_fault(
	    CONF_APID, ENV(DB, "API_KEY_PEPPER_FILE=/"), "API_KEY_PEPPER_FILE: cannot read /:");
	variable = file_variable("API_KEY_PEPPER", " \n", 2);
	assert_fault(CONF_APID, ENV(DB, variable), "API_KEY_PEPPER_FILE is set but empty");
	drop_file(variable);
	variable = file_variable("API_KEY_PEPPER", "ab\0cd", 5);
	assert_fault(CONF_APID, ENV(DB, variable), "contains a NUL byte");
	drop_file(variable);
	assert_non_null(big);
	memset(big, 'x', 70000);
	variable = file_variable("API_KEY_PEPPER", big, 70000);
	assert_fault(CONF_APID, ENV(DB, variable), "File too large");
	drop_file(variable);
	free(big);
}

static void
an_empty_secret_is_a_fault_and_named_once(void **state)
{
	const char *text = load_bad(CONF_APID, ENV(DB, "API_KEY_PEPPER= "));

	(void)state;
	assert_string_equal(text, "API_KEY_PEPPER is set but empty: give it a value or unset it\n");
	assert_fault(CONF_INGESTD, ENV(DB, "DIALPAD_WEBHOOK_SECRET="),
	    "DIALPAD_WEBHOOK_SECRET is set but empty");
}

static void
short_keys_are_faults_that_say_how_long_they_must_be(void **state)
{
	const char *text = load_bad(CONF_APID,
	    ENV(DB, "API_KEY_PEPPER=0123456789abcdef0123456789ABCDE",
		"INTERNAL_API_SECRET=0123456789abcde"));

	(void)state;
	assert_non_null(strstr(text, "API_KEY_PEPPER is 31 bytes long: it must have 32 or more\n"));
	assert_non_null(
	    strstr(text, "INTERNAL_API_SECRET is 15 bytes long: it must have 16 or more\n"));
	assert_null(strstr(text, "0123456"));
}

static void
a_short_webhook_secret_is_only_a_warning(void **state)
{
	struct buf warnings = BUF(4096);
	struct conf c = load(CONF_INGESTD, ENV(DB, "DIALPAD_WEBHOOK_SECRET=fifteen-bytes-x"));

	(void)state;
	conf_warnings(&c, &warnings);
	assert_non_null(strstr(buf_c(&warnings), "DIALPAD_WEBHOOK_SECRET is 15 bytes long"));
	assert_null(strstr(buf_c(&warnings), "fifteen"));
	conf_release(&c);
	buf_clear(&warnings);
	c = load(CONF_INGESTD, ENV(DB, "DIALPAD_WEBHOOK_SECRET=sixteen-bytes-xx"));
	conf_warnings(&c, &warnings);
	assert_int_equal(warnings.n, 0);
	conf_release(&c);
	buf_release(&warnings);
}

static void
numbers_booleans_and_choices_are_checked(void **state)
{
	static const struct {
		const char *variable, *want;
	} cases[] = {
		{ "WORKER_BATCH=0", "WORKER_BATCH: \"0\" is not a whole number from 1 to 10000" },
		{ "WORKER_BATCH=10001", "WORKER_BATCH: \"10001\"" },
		{ "WORKER_BATCH=5e2", "WORKER_BATCH: \"5e2\"" },
		{ "WORKER_BATCH=+5", "WORKER_BATCH: \"+5\"" },
		{ "WORKER_BATCH=99999999999999999999", "WORKER_BATCH: \"99999999999999999999\"" },
		{ "WORKERD_PORT=65536", "WORKERD_PORT: \"65536\"" },
		{ "DB_SSL=on", "DB_SSL: \"on\" is neither true nor false" },
		{ "LOG_LEVEL=INFO", "LOG_LEVEL: \"INFO\" is none of: debug info warn error" },
		{ "LOG_FORMAT=xml", "LOG_FORMAT: \"xml\" is none of: json text" },
		{ "DIALPAD_ENV=prod", "DIALPAD_ENV: \"prod\" is none of: sandbox production" },
		{ "DB_PREPARE=none", "DB_PREPARE: \"none\" is none of: named unnamed" },
		{ "SINGLE_TENANT=true", "SINGLE_TENANT: \"true\" is none of: auto false" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_fault(CONF_WORKERD, ENV(cases[i].variable, DB), cases[i].want);
}

static void
all_faults_are_listed_at_once(void **state)
{
	const char *text = load_bad(CONF_APID,
	    ENV("HTTP_THREADS=1", "DB_SSL=maybe", "LOG_FORMAT=xml", "NODE_ENV=production",
		"INTERNAL_API_SECRET=", "PUBLIC_API_URL=ftp://x", "PUBLIC_INGEST_URL=http://x"));
	static const char *const want[] = { "HTTP_THREADS: ", "DB_SSL: ", "LOG_FORMAT: ",
		"INTERNAL_API_SECRET is set but empty", "API_KEY_PEPPER is missing: ",
		"TOKEN_ENCRYPTION_KEY is missing, and required in production: ",
		"WEBHOOK_MASTER_KEY is missing, and required in production: ",
		"DATABASE_URL is missing", "PUBLIC_API_URL: ", "PUBLIC_INGEST_URL: " };
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		if (strstr(text, want[i]) == NULL)
			fail_msg("no %s in %s", want[i], text);
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, sizeof want / sizeof *want);
}

static void
the_environment_is_dialpad_env_and_else_node_env(void **state)
{
	static const struct {
		const char *dialpad_env, *node_env;
		bool production;
	} cases[] = {
		{ "DIALPAD_ENV=production", "NODE_ENV=development", true },
		{ "DIALPAD_ENV=sandbox", "NODE_ENV=production", false },
		{ "DIALPAD_ENV=", "NODE_ENV=production", true },
		{ "X=", "NODE_ENV=production", true },
		{ "X=", "NODE_ENV=Production", false },
		{ "X=", "NODE_ENV=production ", false },
		{ "X=", "NODE_ENV=", false },
	};
	struct conf c;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		c = load(CONF_INGESTD,
		    ENV(DB, "WEBHOOK_MASTER_KEY=" KEY32, cases[i].dialpad_env, cases[i].node_env));
		assert_int_equal(c.production, cases[i].production);
		assert_string_equal(c.dialpad_env, cases[i].production ? "production" : "sandbox");
		conf_release(&c);
	}
}

static void
production_wants_its_secrets_and_https(void **state)
{
	struct conf c;

	(void)state;
	c = load(CONF_APID, ENV(DB, PEPPER));
	conf_release(&c);
	assert_fault(CONF_APID, ENV(DB, PEPPER, "DIALPAD_ENV=production"),
	    "INTERNAL_API_SECRET is missing, and required in production");
	assert_fault(CONF_APID, ENV(DB, PEPPER, "DIALPAD_ENV=production"),
	    "PUBLIC_API_URL is missing, and required in production");
	c = load(CONF_APID, ENV(DB, PEPPER, "PUBLIC_API_URL=http://localhost"));
	conf_release(&c);
	c = load(CONF_APID,
	    ENV(DB, PEPPER, "DIALPAD_ENV=production", "TOKEN_ENCRYPTION_KEY=" KEY32,
		"WEBHOOK_MASTER_KEY=" KEY32, "INTERNAL_API_SECRET=" KEY32,
		"PUBLIC_API_URL=https://api.example.com"));
	assert_string_equal(c.public_ingest_url, "https://api.example.com");
	conf_release(&c);
}

static void
keep_line(struct str line, void *arg)
{
	buf_add_str(arg, line);
}

static void
secrets_are_known_to_the_log(void **state)
{
	struct buf logged = BUF(4096);
	struct conf c =
	    load(CONF_APID, ENV(DB, "API_KEY_PEPPER=pepper-pepper-pepper-pepper-pepper"));

	(void)state;
	log_redirect(keep_line, &logged);
	log_info("a", "%s %s", c.api_key_pepper, c.database_url);
	log_redirect(NULL, NULL);
	assert_non_null(strstr(buf_c(&logged), "\"*** ***\""));
	buf_release(&logged);
	conf_release(&c);
}

/* A receiver of alarms may be known by a token in its URL. */
static void
a_url_that_may_hold_a_secret_is_not_repeated(void **state)
{
	static const char *const urls[] = { "ALERT_WEBHOOK_URL=receiver.example/t0ken",
		"ALERT_WEBHOOK_URL=http://me:t0ken@receiver.example" };

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		const char *text =
		    load_bad(CONF_WORKERD, ENV(DB, "DIALPAD_ENV=production", urls[i]));

		assert_non_null(strstr(text, "ALERT_WEBHOOK_URL: "));
		assert_null(strstr(text, "t0ken"));
	}
}

static const char *const names[] = {
#define CONF(type, member, env, dflt, lo, hi, flags, daemons, doc) env,
#include "common/conf/conf.def"
#undef CONF
};

static void
markdown_has_one_row_per_option(void **state)
{
	struct buf out = BUF(1 << 16);
	char row[80];

	(void)state;
	conf_markdown(&out);
	assert_false(out.failed);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(row, sizeof row, "\n| `%s` | ", names[i]);
		if (strstr(buf_c(&out), row) == NULL)
			fail_msg("no row of %s", names[i]);
	}
	assert_non_null(
	    strstr(buf_c(&out), "| `DRAIN_TIMEOUT_MS` | all | 0 to 300000 ms | `10000` | | "));
	assert_non_null(strstr(buf_c(&out),
	    "| `TOKEN_ENCRYPTION_KEY` | workerd, apid | secret, 32 bytes or more | | in production | "));
	assert_non_null(strstr(buf_c(&out), "| `LOG_FORMAT` | all | json, text | `json` | | "));
	buf_release(&out);
}

static void
help_lists_the_options_of_one_daemon(void **state)
{
	struct buf out = BUF(1 << 16);

	(void)state;
	conf_help(CONF_WORKERD, &out);
	assert_false(out.failed);
	assert_non_null(
	    strstr(buf_c(&out), "\n  WORKER_BATCH (1 to 10000; default 500)\n      Most "));
	assert_null(strstr(buf_c(&out), "API_KEY_PEPPER"));
	buf_release(&out);
}

static int
release(void **state)
{
	(void)state;
	buf_release(&faults);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_unset_has_its_default),
		cmocka_unit_test(values_are_read_and_trimmed),
		cmocka_unit_test(options_of_other_daemons_are_not_looked_at),
		cmocka_unit_test(the_own_port_wins_over_port_and_port_over_the_default),
		cmocka_unit_test(name_file_gives_the_content_of_a_file),
		cmocka_unit_test(files_that_cannot_be_used_are_faults),
		cmocka_unit_test(an_empty_secret_is_a_fault_and_named_once),
		cmocka_unit_test(short_keys_are_faults_that_say_how_long_they_must_be),
		cmocka_unit_test(a_short_webhook_secret_is_only_a_warning),
		cmocka_unit_test(numbers_booleans_and_choices_are_checked),
		cmocka_unit_test(all_faults_are_listed_at_once),
		cmocka_unit_test(the_environment_is_dialpad_env_and_else_node_env),
		cmocka_unit_test(production_wants_its_secrets_and_https),
		cmocka_unit_test(secrets_are_known_to_the_log),
		cmocka_unit_test(a_url_that_may_hold_a_secret_is_not_repeated),
		cmocka_unit_test(markdown_has_one_row_per_option),
		cmocka_unit_test(help_lists_the_options_of_one_daemon),
	};

	faults = BUF(1 << 16);
	return cmocka_run_group_tests(tests, NULL, release);
}

/* workerd/rebuild_args: the command line of a rebuild. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workerd/rebuild/rebuild_args.h"

#include <string.h>

#define APP "0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2a"

enum { MOST = 10 };

/* `line` is split at blanks. */
static enum err_code
parse(const char *line, struct rebuild_opts *o, struct err *e)
{
	static char text[300];
	char *argv[MOST];
	int argc = 0;

	assert_true(strlen(line) < sizeof text);
	memcpy(text, line, strlen(line) + 1);
	for (char *p = text; p != NULL && *p != '\0' && argc < MOST;) {
		char *end = strchr(p, ' ');

		argv[argc++] = p;
		if (end != NULL)
			*end++ = '\0';
		p = end;
	}
	return rebuild_args_parse(argc, argv, o, e);
}

static void
an_app_alone_means_all_of_its_log(void **state)
{
	struct rebuild_opts o;
	struct err e;
	char id[UUID_TEXT_BYTES];

	(void)state;
	assert_int_equal(parse("--app " APP, &o, &e), ERR_OK);
	assert_string_equal(uuid_format(o.app_id, id), APP);
	assert_int_equal(o.from, 0);
	assert_true(o.to > 4102444800000);
	assert_false(o.dry_run);
}

static void
a_range_and_a_dry_run_come_in_any_order(void **state)
{
	struct rebuild_opts o;
	struct err e;

	(void)state;
	assert_int_equal(parse("--to 2026-01-02T00:00:00Z --dry-run --app " APP
			       " --from 2026-01-01T00:00:00+01:00",
			     &o, &e),
	    ERR_OK);
	assert_int_equal(o.from, 1767222000000);
	assert_int_equal(o.to, 1767312000000);
	assert_true(o.dry_run);
}

static void
what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *said;
	} bad[] = {
		{ "", "--app is missing" },
		{ "--dry-run", "--app is missing" },
		{ "--app", "--app needs a value" },
		{ "--app 5", "\"5\" is no app's id" },
		{ "--app 00000000-0000-0000-0000-000000000000", "no records" },
		{ "--app " APP " --app " APP, "--app is given twice" },
		{ "--app " APP " --from yesterday", "--from: \"yesterday\"" },
		{ "--app " APP " --to 2026-01-01", "--to: \"2026-01-01\"" },
		{ "--app " APP " --from 2026-01-01T00:00:00Z --to 2026-01-01T00:00:00Z", "before" },
		{ "--app " APP " all", "\"all\" is unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct rebuild_opts o = { .from = 7 };
		struct err e;

		assert_int_equal(parse(bad[i].line, &o, &e), ERR_INVALID);
		if (strstr(e.msg, bad[i].said) == NULL)
			fail_msg("%s: %s", bad[i].line, e.msg);
		assert_int_equal(o.from, 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_app_alone_means_all_of_its_log),
		cmocka_unit_test(a_range_and_a_dry_run_come_in_any_order),
		cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

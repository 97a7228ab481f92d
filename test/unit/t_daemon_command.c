/* common/run: a daemon's commands, with arguments of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/run/daemon.h"

#include <stdlib.h>
#include <string.h>

/* What the command was given, and what it shall answer. */
struct work {
	int argc;
	int64_t worker_batch; /* of the configuration; 0: not run */
};

static enum err_code
parse(void *self, int argc, char **argv, struct err *e)
{
	struct work *w = self;

	w->argc = argc;
	if (argc == 1 && strcmp(argv[0], "bad") == 0)
		return err_set(e, ERR_INVALID, "bad is not wanted");
	return ERR_OK;
}

static int
run(void *self, const struct conf *c)
{
	struct work *w = self;

	w->worker_batch = c->worker_batch;
	return 5;
}

static struct work first, second;

static int
run_daemon(const char *name, const char *argument)
{
	static const struct daemon_command one = { "--one", "  --one ARG\n", &first, parse, run };
	static const struct daemon_command two = { "--two", "  --two ARG\n", &second, parse, run };
	static const struct daemon_command *const commands[] = { &one, &two, NULL };
	static const struct daemon_spec spec = {
		.name = "testd",
		.id = CONF_WORKERD,
		.commands = commands,
	};
	char text[3][20] = { "testd" };
	char *argv[] = { text[0], text[1], text[2], NULL };

	strncat(text[1], name, sizeof text[1] - 1);
	strncat(text[2], argument, sizeof text[2] - 1);
	return daemon_run(&spec, 3, argv);
}

static int
setup(void **state)
{
	(void)state;
	first = second = (struct work){ 0 };
	setenv("DATABASE_URL", "postgresql://nowhere/none", 1);
	setenv("DIALPAD_ENV", "sandbox", 1);
	setenv("WORKER_BATCH", "77", 1);
	return 0;
}

static void
a_command_gets_its_arguments_and_the_configuration_and_gives_the_exit_code(void **state)
{
	(void)state;
	assert_int_equal(run_daemon("--two", "good"), 5);
	assert_int_equal(second.argc, 1);
	assert_int_equal(second.worker_batch, 77);
	assert_int_equal(first.worker_batch, 0);
}

static void
arguments_that_a_command_refuses_are_bad_usage(void **state)
{
	(void)state;
	setenv("WORKER_BATCH", "many", 1); /* of which nothing is said: usage comes first */
	assert_int_equal(run_daemon("--one", "bad"), 64);
	assert_int_equal(first.argc, 1);
	assert_int_equal(first.worker_batch, 0);
}

static void
with_a_bad_configuration_a_command_does_not_run(void **state)
{
	(void)state;
	setenv("WORKER_BATCH", "many", 1);
	assert_int_equal(run_daemon("--one", "good"), 78);
	assert_int_equal(first.worker_batch, 0);
}

static void
what_is_no_command_is_bad_usage(void **state)
{
	(void)state;
	assert_int_equal(run_daemon("--three", "good"), 64);
	assert_int_equal(first.argc + second.argc, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_command_gets_its_arguments_and_the_configuration_and_gives_the_exit_code,
		    setup),
		cmocka_unit_test_setup(arguments_that_a_command_refuses_are_bad_usage, setup),
		cmocka_unit_test_setup(with_a_bad_configuration_a_command_does_not_run, setup),
		cmocka_unit_test_setup(what_is_no_command_is_bad_usage, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

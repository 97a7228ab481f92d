/* common/run: arguments, exit codes and the order of starting and stopping, in child processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/run/daemon.h"
#include "test/unit/notify_kit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

/* What the child's daemon does; set before it is forked. */
static struct {
	bool start_fails, stop_hangs;
} plan;

/* The child's stdout and stderr, as far as they were read. */
static struct {
	pid_t pid;
	int fd;
	struct buf out;
} child;

/* ---- the daemon under test: it says what it is told ---- */

static void
say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(99);
}

static enum err_code
fake_start(void *self, const struct conf *c, struct err *e)
{
	(void)self;
	if (plan.start_fails)
		return err_set(e, ERR_UNAVAILABLE, "port %d is taken", conf_port(c, CONF_WORKERD));
	say("start;");
	return ERR_OK;
}

static void
fake_unready(void *self)
{
	(void)self;
	say("unready;");
}

static void
fake_stop(void *self, int64_t timeout_ms)
{
	char text[40];

	(void)self;
	(void)snprintf(text, sizeof text, "stop %d;", (int)timeout_ms);
	say(text);
	if (plan.stop_hangs)
		clock_sleep_ms(60000);
}

static bool
fake_argument(const char *arg, int *exit_code)
{
	if (strcmp(arg, "--generate") != 0)
		return false;
	say("generated");
	*exit_code = 3;
	return true;
}

static const struct daemon_spec spec = {
	.name = "testd",
	.id = CONF_WORKERD,
	.start = fake_start,
	.unready = fake_unready,
	.stop = fake_stop,
	.argument = fake_argument,
	.argument_help = "  --generate           make something\n",
};

/* ---- the child ---- */

static void
run(const char *first, const char *second)
{
	char *argv[] = { (char *)"testd", (char *)first, (char *)second, NULL };
	int fds[2], argc = first == NULL ? 1 : second == NULL ? 2 : 3;

	assert_int_equal(pipe(fds), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		argc = daemon_run(&spec, argc, argv);
		(void)fflush(stdout);
		_exit(argc);
	}
	close(fds[1]);
	child.fd = fds[0];
	child.out = BUF(1 << 16);
}

/* Read on until `text` has come, or, for NULL, until the end. */
static void
wait_for(const char *text)
{
	struct pollfd p = { .fd = child.fd, .events = POLLIN };
	char part[4096];
	ssize_t n;

	while (text == NULL || strstr(buf_c(&child.out), text) == NULL) {
		if (poll(&p, 1, PATIENCE_MS) <= 0)
			fail_msg("no %s in %s", text == NULL ? "end" : text, buf_c(&child.out));
		n = read(child.fd, part, sizeof part);
		if (n <= 0 && text != NULL)
			fail_msg("no %s in %s", text, buf_c(&child.out));
		if (n <= 0)
			return;
		buf_add(&child.out, part, (size_t)n);
	}
}

/* The exit code, after all output was read. */
static int
finish(void)
{
	int status;

	wait_for(NULL);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	child.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
assert_said(const char *text)
{
	if (strstr(buf_c(&child.out), text) == NULL)
		fail_msg("no %s in %s", text, buf_c(&child.out));
}

static int
setup(void **state)
{
	(void)state;
	plan.start_fails = plan.stop_hangs = false;
	setenv("DATABASE_URL", "postgresql://nowhere/none", 1);
	unsetenv("DRAIN_GRACE_MS");
	unsetenv("WORKER_BATCH");
	unsetenv("NOTIFY_SOCKET");
	setenv("DIALPAD_ENV", "sandbox", 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (child.pid > 0) {
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
		child.pid = 0;
	}
	close(child.fd);
	buf_release(&child.out);
	return 0;
}

/* ---- tests ---- */

static void
help_names_every_argument(void **state)
{
	(void)state;
	run("--help", NULL);
	assert_int_equal(finish(), 0);
	assert_said("Usage: testd");
	assert_said("--help-config");
	assert_said("--check-config");
	assert_said("--version");
	assert_said("--generate");
}

static void
help_config_lists_the_daemons_variables(void **state)
{
	(void)state;
	run("--help-config", NULL);
	assert_int_equal(finish(), 0);
	assert_said("WORKER_BATCH (1 to 10000; default 500)");
}

static void
version_names_the_daemon(void **state)
{
	(void)state;
	run("--version", NULL);
	assert_int_equal(finish(), 0);
	assert_int_equal(strncmp(buf_c(&child.out), "testd ", 6), 0);
}

static void
check_config_ends_with_0_or_with_78_and_every_fault(void **state)
{
	(void)state;
	run("--check-config", NULL);
	assert_int_equal(finish(), 0);
	assert_said("valid");
	close(child.fd);
	buf_release(&child.out);
	unsetenv("DATABASE_URL");
	setenv("WORKER_BATCH", "many", 1);
	run("--check-config", NULL);
	assert_int_equal(finish(), 78);
	assert_said("WORKER_BATCH: \"many\" is not a whole number");
	assert_said("DATABASE_URL is missing");
}

static void
a_bad_configuration_ends_with_78_before_start(void **state)
{
	(void)state;
	setenv("WORKER_BATCH", "many", 1);
	run(NULL, NULL);
	assert_int_equal(finish(), 78);
	assert_said("WORKER_BATCH: ");
	assert_null(strstr(buf_c(&child.out), "start"));
}

static void
an_unknown_or_second_argument_is_bad_usage(void **state)
{
	(void)state;
	run("--daemonise", NULL);
	assert_int_equal(finish(), 64);
	assert_said("Usage: testd");
	close(child.fd);
	buf_release(&child.out);
	run("--version", "--help");
	assert_int_equal(finish(), 64);
}

static void
the_daemons_own_argument_is_handed_on(void **state)
{
	(void)state;
	run("--generate", NULL);
	assert_int_equal(finish(), 3);
	assert_said("generated");
}

static void
a_failed_start_is_logged_and_ends_with_1(void **state)
{
	(void)state;
	plan.start_fails = true;
	run(NULL, NULL);
	assert_int_equal(finish(), 1);
	assert_said("\"event\":\"daemon.start_failed\",\"msg\":\"port 4002 is taken\"");
	assert_null(strstr(buf_c(&child.out), "stop"));
}

static void
sigterm_stops_in_order_and_ends_with_0(void **state)
{
	(void)state;
	run(NULL, NULL);
	wait_for("\"daemon.started\"");
	kill(child.pid, SIGHUP);
	wait_for("\"daemon.signal_ignored\"");
	kill(child.pid, SIGUSR1);
	wait_for("USR1");
	kill(child.pid, SIGTERM);
	assert_int_equal(finish(), 0);
	assert_said("start;");
	assert_said("unready;stop 10000;");
	assert_said("\"daemon.stopped\"");
}

static void
the_grace_is_kept_before_stop(void **state)
{
	int64_t at;

	(void)state;
	setenv("DRAIN_GRACE_MS", "300", 1);
	run(NULL, NULL);
	wait_for("\"daemon.started\"");
	at = clock_mono_ms();
	kill(child.pid, SIGINT);
	wait_for("stop 10000;");
	assert_true(clock_mono_ms() - at >= 300);
	assert_int_equal(finish(), 0);
}

static void
a_second_signal_ends_at_once_with_1(void **state)
{
	(void)state;
	plan.stop_hangs = true;
	run(NULL, NULL);
	wait_for("\"daemon.started\"");
	kill(child.pid, SIGTERM);
	wait_for("stop 10000;");
	kill(child.pid, SIGHUP);
	wait_for("\"daemon.signal_ignored\"");
	kill(child.pid, SIGTERM);
	assert_int_equal(finish(), 1);
	assert_said("\"daemon.killed\"");
}

static void
a_second_signal_ends_the_grace_too(void **state)
{
	(void)state;
	setenv("DRAIN_GRACE_MS", "60000", 1);
	run(NULL, NULL);
	wait_for("\"daemon.started\"");
	kill(child.pid, SIGTERM);
	wait_for("unready;");
	kill(child.pid, SIGINT);
	assert_int_equal(finish(), 1);
	assert_null(strstr(buf_c(&child.out), "stop 10000"));
}

static void
systemd_is_told_when_ready_and_when_stopping(void **state)
{
	char name[64];
	int fd;

	(void)state;
	(void)snprintf(name, sizeof name, "@t_daemon_%d", (int)getpid());
	fd = notify_socket(name);
	run(NULL, NULL);
	assert_notified(fd, "READY=1");
	kill(child.pid, SIGTERM);
	assert_notified(fd, "STOPPING=1");
	assert_int_equal(finish(), 0);
	close(fd);
}

static void
systemds_watchdog_hears_of_the_daemon_until_it_stops(void **state)
{
	char name[64];
	int fd;

	(void)state;
	(void)snprintf(name, sizeof name, "@t_daemon_watchdog_%d", (int)getpid());
	fd = notify_socket(name);
	setenv("WATCHDOG_USEC", "50000", 1);
	run(NULL, NULL);
	assert_notified(fd, "READY=1");
	assert_notified(fd, "WATCHDOG=1");
	assert_notified(fd, "WATCHDOG=1");
	kill(child.pid, SIGTERM);
	assert_int_equal(finish(), 0);
	unsetenv("WATCHDOG_USEC");
	close(fd);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(help_names_every_argument),
		TEST(help_config_lists_the_daemons_variables),
		TEST(version_names_the_daemon),
		TEST(check_config_ends_with_0_or_with_78_and_every_fault),
		TEST(a_bad_configuration_ends_with_78_before_start),
		TEST(an_unknown_or_second_argument_is_bad_usage),
		TEST(the_daemons_own_argument_is_handed_on),
		TEST(a_failed_start_is_logged_and_ends_with_1),
		TEST(sigterm_stops_in_order_and_ends_with_0),
		TEST(the_grace_is_kept_before_stop),
		TEST(a_second_signal_ends_at_once_with_1),
		TEST(a_second_signal_ends_the_grace_too),
		TEST(systemd_is_told_when_ready_and_when_stopping),
		TEST(systemds_watchdog_hears_of_the_daemon_until_it_stops),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

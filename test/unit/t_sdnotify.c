/* What daemons tell systemd, without a daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/run/sdnotify.h"
#include "test/unit/notify_kit.h"

#include <stdlib.h>
#include <unistd.h>

static void
a_watchdog_that_is_absent_or_anothers_is_none(void **state)
{
	(void)state;
	assert_int_equal(sdnotify_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(sdnotify_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(sdnotify_watchdog_us(), 30000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(sdnotify_watchdog_us(), 0);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

static void
systemd_is_told_at_a_path_too_and_its_absence_does_no_harm(void **state)
{
	char name[64];
	int fd;

	(void)state;
	(void)snprintf(name, sizeof name, "/tmp/t_daemon_%d", (int)getpid());
	fd = notify_socket(name);
	sdnotify("READY=1");
	assert_notified(fd, "READY=1");
	close(fd);
	unlink(name);
	sdnotify("READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	sdnotify("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	sdnotify("READY=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watchdog_that_is_absent_or_anothers_is_none),
		cmocka_unit_test(systemd_is_told_at_a_path_too_and_its_absence_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/run/sdnotify.h"

#include "common/base/own.h"
#include "common/base/str.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
sdnotify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	AUTO(fd) int fd = -1;
	size_t n;

	n = path == NULL ? 0 : strlen(path);
	if (n == 0 || n >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* Linux's abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		    (const struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

int64_t
sdnotify_watchdog_us(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us = 0, whose = 0;

	if (interval == NULL || !str_to_i64(str_of(interval), 2, INT64_MAX, &us))
		return 0;
	/* Set for another process, which has started this one. */
	if (pid != NULL && (!str_to_i64(str_of(pid), 1, INT32_MAX, &whose) || whose != getpid()))
		return 0;
	return us;
}

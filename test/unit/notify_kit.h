/*
 * A socket where systemd's would be. Include after cmocka.h.
 */
#ifndef CTI_TEST_NOTIFY_KIT_H
#define CTI_TEST_NOTIFY_KIT_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { NOTIFY_PATIENCE_MS = 5000 };

/* A datagram socket like systemd's at this address; "@" stands for the NUL of an abstract one. */
static inline int
notify_socket(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s", name);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static inline void
assert_notified(int fd, const char *want)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char got[64] = "";

	assert_int_equal(poll(&p, 1, NOTIFY_PATIENCE_MS), 1);
	assert_true(recv(fd, got, sizeof got - 1, 0) > 0);
	assert_string_equal(got, want);
}

#endif

/*
 * raw_http - a client that sends exactly what a test says, on a loopback socket.
 *
 * Use:      one fd per connection: raw_open(), raw_send(), raw_receive().
 * Owns:     the reply's text is static: one reply at a time, one thread.
 * Threads:  one.
 * Errors:   fail the test.
 * Not for:  well-behaved requests that a library could make.
 */
#ifndef CTI_TEST_RAW_HTTP_H
#define CTI_TEST_RAW_HTTP_H

#include "common/base/clock.h"
#include "common/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { RAW_MAX_BYTES = 256 * 1024 };

struct raw_reply {
	int status;       /* of the first answer; 0 when there was none */
	const char *text; /* all that came until the server closed */
	size_t n;
	bool reset; /* ended by a reset instead of a proper close */
};

static inline int
raw_open(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	assert_return_code(connect(fd, (struct sockaddr *)&to, sizeof to), errno);
	return fd;
}

/* False when the server has closed the connection. */
static inline bool
raw_send(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		s.p += n;
		s.n -= (size_t)n;
	}
	return true;
}

/* Read until the server closes, then close. */
static inline struct raw_reply
raw_receive(int fd)
{
	static char text[RAW_MAX_BYTES + 1];
	struct raw_reply r = { .text = text };
	ssize_t n;

	while ((n = recv(fd, text + r.n, RAW_MAX_BYTES - r.n, 0)) > 0)
		r.n += (size_t)n;
	text[r.n] = '\0';
	r.reset = n < 0;
	(void)close(fd);
	if (r.n > 12 && strncmp(text, "HTTP/1.1 ", 9) == 0)
		r.status = (int)strtol(text + 9, NULL, 10);
	return r;
}

static inline struct raw_reply
raw_ask(int port, const char *request)
{
	int fd = raw_open(port);

	(void)raw_send(fd, str_of(request));
	return raw_receive(fd);
}

#endif

#include "common/http/http_listener.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>

enum {
	SILENT_S = 10,
	/* Sockets of a server that has just started have low numbers. */
	MOST_FILES = 1024,
};

static bool
is_listener(int fd, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof at, int_size = sizeof(int);
	int listening = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &int_size) == 0
	    && listening != 0 && getsockname(fd, (struct sockaddr *)&at, &size) == 0
	    && at.sin_family == AF_INET && ntohs(at.sin_port) == port;
}

/* civetweb does not tell its socket: it is the one that listens on this port. */
void
http_listener_defer(int port)
{
	int seconds = SILENT_S;

	for (int fd = 0; fd < MOST_FILES; fd++) {
		if (is_listener(fd, port))
			(void)setsockopt(
			    fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
	}
}

#include "common/http/http_nudge.h"

#include "common/base/clock.h"
#include "common/base/own.h"

#include <arpa/inet.h>
#include <sys/socket.h>

enum { NUDGE_MS = 20 };

static void *
nudge(void *arg)
{
	const struct http_nudge *n = arg;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)n->port) };

	if (inet_pton(AF_INET, n->address, &to.sin_addr) != 1 || to.sin_addr.s_addr == INADDR_ANY)
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (!atomic_load(&n->ended)) {
		AUTO(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd >= 0)
			(void)connect(fd, (const struct sockaddr *)&to, sizeof to);
		clock_sleep_ms(NUDGE_MS);
		/* The kernel hands a connection over with its first byte: see http_listener.h. */
		(void)send(fd, "\n", 1, MSG_NOSIGNAL);
	}
	return NULL;
}

void
http_nudge_start(struct http_nudge *n, const char *address, int port)
{
	n->address = address;
	n->port = port;
	atomic_init(&n->ended, false);
	n->started = pthread_create(&n->thread, NULL, nudge, n) == 0;
}

void
http_nudge_end(struct http_nudge *n)
{
	atomic_store(&n->ended, true);
	if (n->started)
		(void)pthread_join(n->thread, NULL);
}

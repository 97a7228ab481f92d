/*
 * Many WebSockets that note when each change came, at little cost to the machine that is measured.
 *
 *     live_clients PORT SLOW_EVERY RECORDS < api-keys
 *
 * Opens one socket for each line of stdin, prints "open", and reads until it is told SIGTERM. Every
 * SLOW_EVERYth socket (0: none) is never read. RECORDS gets pairs of int64: call_id, monotonic ns.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 256, READ_BYTES = 64 * 1024, MAX_KEY = 256, SLOW_WINDOW = 4096 };

struct peer {
	int fd;
	unsigned char *p; /* what has come of a frame that is not complete */
	size_t n, room;
};

static volatile sig_atomic_t ending;
static FILE *records;

static void
on_term(int signo)
{
	(void)signo;
	ending = 1;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
shake_hands(int fd, const char *key)
{
	char text[1024];
	size_t n = 0;
	int length = snprintf(text, sizeof text,
	    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	    "x-app-api-key: %s\r\n\r\n",
	    key);

	if (send(fd, text, (size_t)length, 0) != length)
		fail("send");
	while (n < 4 || memcmp(text + n - 4, "\r\n\r\n", 4) != 0)
		if (n == sizeof text || recv(fd, text + n++, 1, 0) != 1)
			fail("handshake");
	if (memcmp(text, "HTTP/1.1 101", 12) != 0) {
		(void)fprintf(stderr, "%.*s\n", (int)n, text);
		exit(1);
	}
}

static int
open_socket(int port, const char *key, int slow)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), window = SLOW_WINDOW;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (slow)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		fail("connect");
	shake_hands(fd, key);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void
note(const unsigned char *text, size_t n, int64_t at)
{
	static const char mark[] = "\"call_id\":";
	const char *found = memmem(text, n, mark, sizeof mark - 1);
	int64_t pair[2] = { 0, at };

	if (found == NULL)
		return;
	for (found += sizeof mark - 1; *found >= '0' && *found <= '9'; found++)
		pair[0] = pair[0] * 10 + (*found - '0');
	(void)fwrite(pair, sizeof pair, 1, records);
}

/* Bytes of the whole frame that begins at p; 0: not all of it is there. */
static size_t
take_frame(struct peer *s, const unsigned char *p, size_t n, int64_t at)
{
	static const unsigned char pong[6] = { 0x8a, 0x80 };
	size_t head = 2, length;

	if (n < 2)
		return 0;
	length = p[1] & 127;
	head += length == 126 ? 2 : length == 127 ? 8 : 0;
	if (n < head)
		return 0;
	if (head > 2)
		length = 0;
	for (size_t i = 2; i < head; i++)
		length = length << 8 | p[i];
	if (n < head + length)
		return 0;
	if ((p[0] & 15) == 1)
		note(p + head, length, at);
	else if ((p[0] & 15) == 9)
		(void)!write(s->fd, pong, sizeof pong);
	return head + length;
}

static void
receive(struct peer *s)
{
	size_t used = 0, frame;
	ssize_t n;
	int64_t at = now_ns();

	if (s->room < s->n + READ_BYTES
	    && (s->p = realloc(s->p, s->room = s->n + READ_BYTES)) == NULL)
		fail("realloc");
	n = recv(s->fd, s->p + s->n, READ_BYTES, 0);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			(void)close(s->fd);
		return;
	}
	s->n += (size_t)n;
	while ((frame = take_frame(s, s->p + used, s->n - used, at)) > 0)
		used += frame;
	memmove(s->p, s->p + used, s->n -= used);
}

int
main(int argc, char **argv)
{
	struct rlimit files = { 0, 0 };
	struct epoll_event events[MAX_EVENTS];
	char key[MAX_KEY];
	int epoll = epoll_create1(0), count = 0, slow_every;

	if (argc != 4 || (records = fopen(argv[3], "w")) == NULL)
		fail("usage: live_clients PORT SLOW_EVERY RECORDS");
	slow_every = (int)strtol(argv[2], NULL, 10);
	(void)getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)signal(SIGTERM, on_term);
	while (fgets(key, sizeof key, stdin) != NULL) {
		int slow = slow_every > 0 && ++count % slow_every == 0;
		struct epoll_event ev = { .events = EPOLLIN };
		struct peer *s;
		int fd;

		key[strcspn(key, "\n")] = '\0';
		fd = open_socket((int)strtol(argv[1], NULL, 10), key, slow);
		if (slow)
			continue;
		s = calloc(1, sizeof *s);
		if (s == NULL)
			fail("calloc");
		s->fd = fd;
		ev.data.ptr = s;
		(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
	}
	puts("open");
	(void)fflush(stdout);
	while (!ending) {
		int n = epoll_wait(epoll, events, MAX_EVENTS, 200);

		for (int i = 0; i < n; i++)
			receive(events[i].data.ptr);
	}
	return fclose(records) == 0 ? 0 : 1;
}

#include "common/http/http_take.h"

#include "common/base/own.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* More than LIVE_MAX_SOCKETS can ask for. The process's own limit may be a billion. */
enum { MOST_FILES = 1 << 18 };

struct ends {
	struct sockaddr_in peer; /* address and port */
	in_port_t local;         /* in network order */
};

static bool
ends_of(const struct http_conn *c, struct ends *out)
{
	const struct mg_request_info *ri = mg_get_request_info(c->mg);

	out->peer.sin_port = htons((uint16_t)ri->remote_port);
	out->local = htons((uint16_t)ri->server_port);
	return inet_pton(AF_INET, ri->remote_addr, &out->peer.sin_addr) == 1;
}

static bool
has_ends(int fd, const struct ends *wanted)
{
	struct sockaddr_in peer = { 0 }, local = { 0 };
	socklen_t peer_bytes = sizeof peer, local_bytes = sizeof local;

	return getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0
	    && peer.sin_family == AF_INET && peer.sin_port == wanted->peer.sin_port
	    && peer.sin_addr.s_addr == wanted->peer.sin_addr.s_addr
	    && getsockname(fd, (struct sockaddr *)&local, &local_bytes) == 0
	    && local.sin_port == wanted->local;
}

/* The system gives out the lowest numbers first, so this ends soon; but the socket of a peer that has
 * reset its connection is not found, as it has no peer any more. */
static int
find(const struct ends *wanted)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return -1;
	for (int fd = 0; fd < MOST_FILES && (rlim_t)fd < lim.rlim_cur; fd++) {
		if (has_ends(fd, wanted))
			return fd;
	}
	return -1;
}

int
http_take(struct http_conn *c)
{
	AUTO(fd) int stand_in = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ends ends;
	int fd, taken;

	if (stand_in < 0 || !ends_of(c, &ends) || (fd = find(&ends)) < 0)
		return -1;
	taken = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (taken < 0)
		return -1;
	if (dup3(stand_in, fd, O_CLOEXEC) < 0) {
		(void)close(taken);
		return -1;
	}
	return taken;
}

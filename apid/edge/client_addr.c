#include "apid/edge/client_addr.h"

#include <arpa/inet.h>

enum { MAX_FORWARDED = 16 * 1024, V6_SUBSCRIBER_BYTES = 8 };

static const unsigned char V4_MAPPED[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* "1.2.3.4", "1.2.3.4:567", "2001:db8::1", "[2001:db8::1]:567". */
static struct str
without_port(struct str s)
{
	const char *colon = s.n > 0 ? memchr(s.p, ':', s.n) : NULL;
	const char *close = s.n > 0 && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;

	if (close != NULL)
		return (struct str){ s.p + 1, (size_t)(close - s.p) - 1 };
	if (colon != NULL && memchr(colon + 1, ':', s.n - (size_t)(colon - s.p) - 1) == NULL)
		s.n = (size_t)(colon - s.p);
	return s;
}

static bool
parse(struct str s, struct client_addr *out)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;

	s = without_port(str_trim(s));
	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &v4) == 1) {
		memcpy(out->b, V4_MAPPED, sizeof V4_MAPPED);
		memcpy(out->b + sizeof V4_MAPPED, &v4, sizeof v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	memcpy(out->b, &v6, IN6_IS_ADDR_V4MAPPED(&v6) ? sizeof out->b : V6_SUBSCRIBER_BYTES);
	return true;
}

/* The last item of a list, which is shortened by it. */
static struct str
take_last(struct str *list)
{
	const char *comma = list->n > 0 ? memrchr(list->p, ',', list->n) : NULL;
	struct str last = *list;

	if (comma == NULL) {
		*list = STR_NONE;
		return last;
	}
	list->n = (size_t)(comma - list->p);
	return (struct str){ comma + 1, last.n - list->n - 1 };
}

struct client_addr
client_addr_pick(struct str peer, struct str forwarded, int64_t hops)
{
	struct client_addr found, next;

	if (!parse(peer, &found))
		memset(&found, 0, sizeof found);
	for (; hops > 0 && forwarded.n > 0; hops--) {
		if (!parse(take_last(&forwarded), &next))
			break;
		found = next;
	}
	return found;
}

struct client_addr
client_addr_of(struct http_req *req, int64_t hops)
{
	AUTO_RELEASE(buf_release) struct buf all = BUF(MAX_FORWARDED);
	struct str line;

	for (int i = 0; hops > 0; i++) {
		line = http_header_nth(req, "X-Forwarded-For", i);
		if (line.p == NULL)
			break;
		if (all.n > 0)
			buf_add_char(&all, ',');
		buf_add_str(&all, line);
	}
	return client_addr_pick(req->remote_addr, buf_str(&all), hops);
}

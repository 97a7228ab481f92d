#include "common/base/origin.h"

enum { MAX_PORT = 65535 };

static bool
is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

static bool
is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* One or more letters and digits, or any of `others`. */
static bool
is_made_of(struct str s, const char *others)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0'
		    || (!is_letter_or_digit(s.p[i]) && strchr(others, s.p[i]) == NULL))
			return false;
	}
	return s.n > 0;
}

/* An IPv6 address stands in brackets, because of its colons. */
static bool
is_host_and_port(struct str s)
{
	struct str port = STR_NONE, host;
	const char *bracket = s.n > 0 && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;
	int64_t number;

	if (bracket != NULL) {
		host = (struct str){ s.p + 1, (size_t)(bracket - s.p) - 1 };
		s = (struct str){ bracket + 1, s.n - host.n - 2 };
		if (s.n > 0 && s.p[0] != ':')
			return false;
		(void)str_cut(s, ':', &port);
		if (!is_made_of(host, ":."))
			return false;
	} else {
		host = str_cut(s, ':', &port);
		if (!is_made_of(host, ".-_"))
			return false;
	}
	return port.p == NULL || str_to_i64(port, 1, MAX_PORT, &number);
}

bool
origin_is_valid(struct str s)
{
	static const char mark[] = "://";
	const char *at =
	    s.n > 0 && s.n <= ORIGIN_MAX_CHARS ? memmem(s.p, s.n, mark, sizeof mark - 1) : NULL;
	struct str scheme, rest;

	if (at == NULL)
		return false;
	scheme = (struct str){ s.p, (size_t)(at - s.p) };
	rest = (struct str){ at + sizeof mark - 1, s.n - scheme.n - (sizeof mark - 1) };
	return is_made_of(scheme, "+-.") && is_host_and_port(rest);
}

struct str
origin_next(struct str *list)
{
	struct str item;
	size_t n = 0;

	while (list->n > 0 && is_separator(list->p[0])) {
		list->p++;
		list->n--;
	}
	while (n < list->n && !is_separator(list->p[n]))
		n++;
	if (n == 0)
		return STR_NONE; /* there may be no list at all */
	item = (struct str){ list->p, n };
	list->p += n;
	list->n -= n;
	return item;
}

bool
origin_is_listed(struct str list, struct str origin)
{
	for (;;) {
		struct str item = origin_next(&list);

		if (item.n == 0)
			return false;
		if (str_eq(item, origin))
			return true;
	}
}

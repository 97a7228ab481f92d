/*
 * A request's method and path to a row of apid's route table: common/http/http_route and
 * apid/routes. The input is a method, a blank, and a path.
 */
#include "test/fuzz/fuzz.h"

#include "apid/routes.h"
#include "common/http/http_route.h"

/* Decoded anew, by another way than http_uri.c. */
static size_t
decoded_bytes(struct str raw)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++, n++) {
		if (raw.p[i] == '%')
			i += 2;
	}
	return n;
}

static size_t
count(struct str s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

/* A path that is served begins as its pattern does, has as many parts, and hides nothing. */
static void
check_match(const struct http_match *m, struct str method, struct str path)
{
	struct str pattern = str_of(m->route->path), rest, fixed = str_cut(pattern, '{', &rest);
	bool catch_all = count(pattern, '*') > 1;

	FUZZ_CHECK(path.n > 0 && path.p[0] == '/');
	if (catch_all)
		fixed.n -= 3; /* "/" + "**" */
	FUZZ_CHECK(path.n >= fixed.n && memcmp(path.p, fixed.p, fixed.n) == 0);
	FUZZ_CHECK(str_eq(method, str_of(m->route->method))
	    || (str_eq(method, STR("HEAD")) && strcmp(m->route->method, "GET") == 0));
	if (!catch_all) {
		size_t slashes = count(path, '/');

		FUZZ_CHECK(slashes == count(pattern, '/')
		    || (path.p[path.n - 1] == '/' && slashes == count(pattern, '/') + 1));
	}
	for (int i = 0; i < m->nsegments; i++) {
		FUZZ_CHECK(m->segments[i].n > 0 && m->segments[i].n <= decoded_bytes(path));
		FUZZ_CHECK(memchr(m->segments[i].p, '\0', m->segments[i].n) == NULL);
		FUZZ_CHECK(!str_eq(m->segments[i], STR("..")));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(str) char *exact = fuzz_exact((struct str){ (const char *)data, n });
	/* Both come to us as C strings. */
	struct str path, method = str_cut((struct str){ exact, strnlen(exact, n) }, ' ', &path);
	AUTO_RELEASE(buf_release) struct buf allow = BUF(1000);
	AUTO_RELEASE(arena_release) struct arena a;
	struct http_match m;
	struct err e;
	enum err_code rc;

	arena_init(&a);
	rc = http_route_find(apid_routes, apid_nroutes, method, path, &a, &m, &e);
	if (rc == ERR_OK)
		check_match(&m, method, path);
	else
		FUZZ_CHECK(
		    rc == ERR_INVALID || rc == ERR_NOT_FOUND || rc == ERR_METHOD_NOT_ALLOWED);
	http_route_allow(apid_routes, apid_nroutes, path, &allow);
	FUZZ_CHECK(rc != ERR_METHOD_NOT_ALLOWED || allow.n > 0);
	return 0;
}

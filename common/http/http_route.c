#include "common/http/http_route.h"

#include "common/http/http_uri.h"

/* What is between the first slash and one at the end; STR_NONE for "/". */
static struct str
inner(struct str path)
{
	if (path.n > 0 && path.p[0] == '/') {
		path.p++;
		path.n--;
	}
	if (path.n == 0)
		return STR_NONE;
	if (path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

static bool
is_placeholder(struct str pattern)
{
	return pattern.n > 0 && pattern.p[0] == '{';
}

/* Match the path alone; segments are left raw. */
static bool
match_path(const struct http_route *r, struct str path, struct http_match *m)
{
	struct str pattern = inner(str_of(r->path)), rest = inner(path);

	m->route = r;
	m->nsegments = 0;
	while (pattern.p != NULL && rest.p != NULL) {
		struct str want = str_cut(pattern, '/', &pattern), have;

		if (str_eq(want, STR("**")))
			return true;
		have = str_cut(rest, '/', &rest);
		if (!is_placeholder(want)) {
			if (!str_eq(want, have))
				return false;
		} else if (have.n == 0 || m->nsegments == HTTP_MAX_SEGMENTS) {
			return false;
		} else {
			m->segments[m->nsegments++] = have;
		}
	}
	return rest.p == NULL && (pattern.p == NULL || str_eq(pattern, STR("**")));
}

static bool
match_method(const struct http_route *r, struct str method)
{
	if (str_eq(method, STR("HEAD")))
		method = STR("GET");
	return str_eq(str_of(r->method), STR("*")) || str_eq(str_of(r->method), method);
}

static bool
is_catch_all(const struct http_route *r)
{
	size_t n = strlen(r->path);

	return n >= 2 && str_eq((struct str){ r->path + n - 2, 2 }, STR("**"));
}

/* An encoded slash must not hide a "..": the decoded text is looked at part by part. */
static bool
climbs(struct str decoded)
{
	while (decoded.p != NULL) {
		if (str_eq(str_cut(decoded, '/', &decoded), STR("..")))
			return true;
	}
	return false;
}

static enum err_code
check_path(struct str path, struct arena *a, struct err *e)
{
	struct str decoded;

	if (path.n == 0 || path.p[0] != '/')
		return err_set(e, ERR_INVALID, "the path does not begin with a slash");
	if (!http_uri_decode(a, path, false, &decoded))
		return err_set(e, ERR_INVALID, "the path is not percent-encoded properly");
	if (climbs(decoded))
		return err_set(e, ERR_INVALID, "the path has a \"..\" segment");
	return ERR_OK;
}

/* check_path() has seen every escape, so decoding cannot fail any more. */
static enum err_code
decode_segments(struct http_match *m, struct arena *a, struct err *e)
{
	for (int i = 0; i < m->nsegments; i++) {
		if (!http_uri_decode(a, m->segments[i], false, &m->segments[i]))
			return err_set(e, ERR_INVALID, "the path is not percent-encoded properly");
	}
	return ERR_OK;
}

enum err_code
http_route_find(const struct http_route *routes, int nroutes, struct str method, struct str path,
    struct arena *a, struct http_match *out, struct err *e)
{
	struct http_match m;
	bool known = false;
	enum err_code rc = check_path(path, a, e);

	if (rc != ERR_OK)
		return rc;
	for (int i = 0; i < nroutes; i++) {
		if (!match_path(&routes[i], path, &m))
			continue;
		if (match_method(&routes[i], method)) {
			rc = decode_segments(&m, a, e);
			if (rc == ERR_OK)
				*out = m;
			return rc;
		}
		known = known || !is_catch_all(&routes[i]);
	}
	if (known)
		return err_set(
		    e, ERR_METHOD_NOT_ALLOWED, "this path does not take %.*s", STR_ARG(method));
	return err_set(e, ERR_NOT_FOUND, "there is nothing under this path");
}

static bool
listed_before(const struct http_route *routes, int i, struct str path)
{
	struct http_match m;

	for (int j = 0; j < i; j++) {
		if (strcmp(routes[j].method, routes[i].method) == 0
		    && match_path(&routes[j], path, &m))
			return true;
	}
	return false;
}

void
http_route_allow(const struct http_route *routes, int nroutes, struct str path, struct buf *out)
{
	struct http_match m;

	for (int i = 0; i < nroutes; i++) {
		if (!match_path(&routes[i], path, &m) || listed_before(routes, i, path))
			continue;
		if (out->n > 0)
			buf_add_c(out, ", ");
		buf_add_c(out, routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			buf_add_c(out, ", HEAD");
	}
}

/*
 * http_route - which row of a route table serves a method and a path. Pure.
 *
 * Use:      private to common/http: http_route_find(), and http_route_allow() after a 405.
 * Owns:     nothing; segments point into the path, or into the arena when they were decoded.
 * Threads:  no shared state.
 * Errors:   INVALID: the path holds a bad escape, an encoded NUL or a ".." segment.
 *           METHOD_NOT_ALLOWED: a row without "**" has this path, but not this method.
 *           NOT_FOUND: anything else.
 * Not for:  queries (http_uri.h).
 *
 * The path is compared as it was sent, byte by byte and segment by segment: nothing is decoded,
 * folded or normalised before. What a {segment} matched is decoded once, afterwards. One slash at
 * the end is as none. "**" matches any rest, an empty one included.
 */
#ifndef CTI_HTTP_ROUTE_H
#define CTI_HTTP_ROUTE_H

#include "common/http/http.h"

struct http_match {
	const struct http_route *route;
	struct str segments[HTTP_MAX_SEGMENTS]; /* decoded */
	int nsegments;
};

/* The first row that matches. HEAD is served by the rows of GET. */
CTI_MUST_CHECK enum err_code http_route_find(const struct http_route *routes, int nroutes,
    struct str method, struct str path, struct arena *a, struct http_match *out, struct err *e);

/* Append the methods that this path takes: "GET, HEAD, POST". */
void http_route_allow(
    const struct http_route *routes, int nroutes, struct str path, struct buf *out);

#endif

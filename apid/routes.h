/*
 * routes - the whole HTTP surface of apid, as one table.
 *
 * Use:      routes_select() makes the table of a port, for http_server_start.
 * Owns:     nothing; static.
 * Threads:  read-only.
 * Errors:   none.
 */
#ifndef CTI_APID_ROUTES_H
#define CTI_APID_ROUTES_H

#include "common/http/http.h"

extern const struct http_route apid_routes[];
extern const int apid_nroutes;

enum routes_port {
	ROUTES_ALL,      /* apid's only port */
	ROUTES_PUBLIC,   /* for clients, where admins have a port of their own */
	ROUTES_INTERNAL, /* that one */
};

/* The rows of a port, in their order; `out` has room for all. Returns their number. */
int routes_select(enum routes_port port, struct http_route *out);

#endif

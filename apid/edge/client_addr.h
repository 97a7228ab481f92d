/*
 * client_addr - the address that a request came from, behind as many proxies as we trust.
 *
 * Use:      client_addr_of() for limits by address.
 * Owns:     nothing.
 * Threads:  as the request.
 * Errors:   none: what cannot be read leaves the nearest address that can.
 * Not for:  deciding who somebody is.
 *
 * Each proxy adds the address it was called from to the end of X-Forwarded-For. So the last
 * TRUSTED_PROXY_HOPS addresses are our proxies' word; whatever stands before is the caller's.
 */
#ifndef CTI_APID_CLIENT_ADDR_H
#define CTI_APID_CLIENT_ADDR_H

#include "common/http/http.h"

/* An IPv4 address as IPv6 has it (::ffff:a.b.c.d); of IPv6 only the first 64 bits, which is what one
 * subscriber gets. */
struct client_addr {
	unsigned char b[16];
};

struct client_addr client_addr_of(struct http_req *req, int64_t hops);

/* The same of texts: the peer's address, and all of X-Forwarded-For joined by commas. */
struct client_addr client_addr_pick(struct str peer, struct str forwarded, int64_t hops);

#endif

/*
 * routes - the whole HTTP surface of apid, as one table.
 *
 * Use:      handed to http_server_start.
 * Owns:     nothing; static.
 * Threads:  read-only.
 * Errors:   none.
 */
#ifndef CTI_APID_ROUTES_H
#define CTI_APID_ROUTES_H

#include "common/http/http.h"

extern const struct http_route apid_routes[];
extern const int apid_nroutes;

#endif

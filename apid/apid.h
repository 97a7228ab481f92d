/*
 * apid - the daemon that clients and admins talk to: what its handlers share.
 *
 * Use:      apid_start(), apid_unready(), apid_stop() as struct daemon_spec wants them; a handler
 *           finds its daemon in req->self.
 * Owns:     the servers and the pool, from start to stop.
 * Threads:  after start everything here is read-only or safe by itself.
 * Errors:   INVALID: the configuration; UNAVAILABLE: a port is taken.
 * Not for:  state of a single request.
 */
#ifndef CTI_APID_H
#define CTI_APID_H

#include "apid/access/pepper.h"
#include "apid/reads.h"
#include "common/conf/conf.h"
#include "common/crypto/seal.h"
#include "common/db/db_listen.h"
#include "common/db/db_ready.h"
#include "common/dialpad/dialpad_api.h"
#include "common/http/http_ops.h"

struct live_hub;

struct apid {
	struct http_ops *ops; /* first: http_ops_healthz looks here */
	const struct conf *conf;
	struct buf conninfo;
	struct db_opts db;    /* of the primary */
	struct db_pool *pool; /* of the primary */
	struct reads reads;
	struct db_ready *ready;
	struct db_listen *listen;
	struct keyring *keys;
	struct limiter *limiter;
	struct admins *admins;
	struct dialpad_api *dialpad;
	struct seal_keys seal_keys;
	struct http_server *server;
	struct live_hub *live;        /* who is told of changes */
	struct http_server *internal; /* on INTERNAL_PORT; NULL without one */
	struct http_route *routes, *internal_routes;
	struct pepper pepper;
	struct pepper_keys cursor_keys; /* of lists and of the feed */
};

enum err_code apid_start(void *self, const struct conf *c, struct err *e);
void apid_unready(void *self);
void apid_stop(void *self, int64_t timeout_ms);

/* ---- the database, on behalf of one request ---- */

/* db_tenant_read for the request's tenant, from the replica when there is one. */
CTI_MUST_CHECK enum err_code apid_tenant_read(const struct http_req *req,
    const struct db_query *queries, int n, struct db_result *results, struct err *e);

/* One statement on a table that belongs to no tenant, as cti_api. */
CTI_MUST_CHECK enum err_code apid_read(const struct http_req *req, const struct db_stmt *s,
    const struct db_params *p, struct db_result *out, struct err *e);

/* A transaction as cti_api, under the rules of db_tx: fn may run more than once. */
CTI_MUST_CHECK enum err_code apid_tx(
    const struct http_req *req, db_tx_fn fn, void *arg, struct err *e);

/* For a connection of one's own, past a pooler, in this role. */
struct db_opts apid_direct_db(const struct apid *api, const char *role);

/* A transaction as cti_admin, under the rules of db_tx: fn may run more than once. */
CTI_MUST_CHECK enum err_code apid_admin_tx(
    const struct http_req *req, db_tx_fn fn, void *arg, struct err *e);

/* The same for keys, and what their apps may do. Every apid forgets what it knew of keys when it
 * commits, this one before the call returns. */
CTI_MUST_CHECK enum err_code apid_access_tx(
    const struct http_req *req, db_tx_fn fn, void *arg, struct err *e);

#endif

#include "apid/reads.h"

#include "common/base/log.h"
#include "common/base/metric.h"

#include <stdatomic.h>

enum {
	PRIMARY_WAIT_MS = 2000,
	/* Little, so that a replica which does not even refuse costs each request no more. */
	REPLICA_WAIT_MS = 250,
};

static struct metric FALLBACKS = METRIC_COUNTER("cti_api_read_fallbacks_total",
    "Reads of tenants that the primary answered because the replica did not.", NULL);

enum err_code
reads_start(struct reads *r, struct db_pool *primary, const struct db_opts *replica, struct err *e)
{
	r->primary = primary;
	r->replica = NULL;
	r->lost = false;
	if (replica == NULL)
		return ERR_OK;
	metric_declare(&FALLBACKS, NULL);
	return db_pool_new(replica, &r->replica, e);
}

void
reads_stop(struct reads *r)
{
	db_pool_free(r->replica);
	r->replica = NULL;
}

static enum err_code
read_from(struct db_pool *pool, int64_t wait_ms, struct uuid app_id, const struct db_query *queries,
    int n, struct db_result *results, struct err *e)
{
	struct db_conn *c;
	enum err_code rc = db_pool_get(pool, wait_ms, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = db_tenant_read(c, app_id, queries, n, results, e);
	db_pool_put(pool, c);
	return rc;
}

/* Each change is logged once, however many requests meet it. */
static void
note_replica(struct reads *r, bool lost, const struct err *e)
{
	if (lost)
		metric_add(&FALLBACKS, NULL, 1);
	if (r->lost == lost || atomic_exchange(&r->lost, lost) == lost)
		return;
	if (lost)
		log_warn("api.replica_lost", "reads go to the primary: %s", e->msg);
	else
		log_info("api.replica_back", "reads go to the replica again");
}

enum err_code
reads_tenant(struct reads *r, struct uuid app_id, const struct db_query *queries, int n,
    struct db_result *results, struct err *e)
{
	if (r->replica != NULL) {
		enum err_code rc =
		    read_from(r->replica, REPLICA_WAIT_MS, app_id, queries, n, results, e);

		note_replica(r, rc != ERR_OK, e);
		if (rc == ERR_OK)
			return rc;
	}
	return read_from(r->primary, PRIMARY_WAIT_MS, app_id, queries, n, results, e);
}

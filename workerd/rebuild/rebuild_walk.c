#include "workerd/rebuild/rebuild_walk.h"

#include "common/base/clock.h"
#include "common/base/log.h"

/* After a page, others come first: longer than a worker waits for a tenant that is taken. */
enum { YIELD_MS = 200, DAY_MS = 86400000 };

/* Clients hear of it at once. A hint only: they poll too. */
static void
hint_clients(struct db_conn *c)
{
	struct err e;

	if (db_notify(c, "cti_feed", &e) != ERR_OK)
		log_err(LOG_DEBUG, "feed.notify_failed", &e);
}

enum err_code
rebuild_page(struct db_conn *c, const struct rebuild_opts *o, struct arena *a, struct str *last,
    struct rebuild_report *report, struct err *e)
{
	struct str ids[REBUILD_MAX_IDS];
	int64_t changes = report->changes;
	int n;
	enum err_code rc = rebuild_ids(c, o, *last, a, ids, &n, e);

	if (rc == ERR_OK && n > 0)
		rc = rebuild_fit(c, o, ids, &n, e);
	if (rc == ERR_OK && n > 0)
		rc = rebuild_batch(c, o, ids, n, report, e);
	if (rc != ERR_OK)
		return rc;
	if (report->changes > changes)
		hint_clients(c);
	*last = n > 0 ? ids[n - 1] : STR_NONE;
	if (n > 0 && !o->dry_run)
		clock_sleep_ms(YIELD_MS);
	return ERR_OK;
}

int64_t
rebuild_oldest_kept_ms(int64_t retention_days)
{
	return retention_days == 0 ? 0 : clock_wall_ms() - retention_days * DAY_MS;
}

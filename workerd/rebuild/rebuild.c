#include "workerd/rebuild/rebuild.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/run/daemon_arg.h"
#include "workerd/rebuild/rebuild_batch.h"

#include <string.h>

/* After a batch, others come first: longer than a worker waits for a tenant that is taken. */
enum { YIELD_MS = 200, STATEMENT_MS = 30000, CONNINFO_BYTES = 8192, DAY_MS = 86400000 };

static enum err_code
connect(const struct conf *c, struct db_conn **out, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf conninfo = BUF(CONNINFO_BYTES);
	enum err_code rc = db_conninfo(c, &conninfo, e);
	struct db_opts o = {
		.url = buf_c(&conninfo),
		.role = c->db_role,
		.app_name = "workerd --rebuild",
		.unnamed = strcmp(c->db_prepare, "unnamed") == 0,
		.timeout_ms = STATEMENT_MS,
	};

	return rc != ERR_OK ? rc : db_connect(&o, out, e);
}

static enum err_code
check_tenant(struct db_conn *c, struct uuid app_id, struct err *e)
{
	char id[UUID_TEXT_BYTES];
	bool has;
	enum err_code rc = rebuild_has_tenant(c, app_id, &has, e);

	if (rc == ERR_OK && !has)
		return err_set(e, ERR_NOT_FOUND, "there is no app %s", uuid_format(app_id, id));
	return rc;
}

/* Clients hear of it at once. A hint only: they poll too. */
static void
hint_clients(struct db_conn *c)
{
	struct err e;

	if (db_notify(c, "cti_feed", &e) != ERR_OK)
		log_err(LOG_DEBUG, "feed.notify_failed", &e);
}

/* One page of ids; *last is its last one, in the arena, or STR_NONE when there was none. */
static enum err_code
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
	return ERR_OK;
}

static enum err_code
rebuild_all(
    struct db_conn *c, const struct rebuild_opts *o, struct rebuild_report *report, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct str last = STR("");
	enum err_code rc = check_tenant(c, o->app_id, e);

	arena_init(&a);
	while (rc == ERR_OK && last.p != NULL) {
		rc = rebuild_page(c, o, &a, &last, report, e);
		if (rc == ERR_OK && last.p != NULL && !o->dry_run)
			clock_sleep_ms(YIELD_MS);
	}
	return rc;
}

/* ---- the command ---- */

static struct rebuild_opts opts; /* of the command line */

static enum err_code
parse(void *self, int argc, char **argv, struct err *e)
{
	return rebuild_args_parse(argc, argv, self, e);
}

/* Records that the retention has deleted must not come back. */
static int64_t
oldest_kept_ms(int64_t retention_days)
{
	return retention_days == 0 ? 0 : clock_wall_ms() - retention_days * DAY_MS;
}

static int
run(void *self, const struct conf *conf)
{
	struct rebuild_opts *o = self;
	AUTO(db_conn) struct db_conn *c = NULL;
	struct rebuild_report report = { 0 };
	struct err e;
	enum err_code rc = connect(conf, &c, &e);

	o->bytes = conf->worker_batch_bytes;
	o->records_from = oldest_kept_ms(conf->records_retention_days);
	if (rc == ERR_OK)
		rc = rebuild_all(c, o, &report, &e);
	if (c != NULL)
		rebuild_report_print(&report, o->dry_run, stdout);
	if (rc != ERR_OK) {
		log_err(LOG_ERROR, "rebuild.failed", &e);
		return DAEMON_EXIT_FAILED;
	}
	return DAEMON_EXIT_OK;
}

const struct daemon_command rebuild_command = {
	.name = "--rebuild",
	.help = REBUILD_HELP,
	.self = &opts,
	.parse = parse,
	.run = run,
};

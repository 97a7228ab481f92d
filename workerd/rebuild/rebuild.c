#include "workerd/rebuild/rebuild.h"

#include "common/base/log.h"
#include "common/run/daemon_arg.h"
#include "workerd/rebuild/rebuild_walk.h"

#include <string.h>

enum { STATEMENT_MS = 30000, CONNINFO_BYTES = 8192, MAX_ID_BYTES = 1024 };

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

static enum err_code
rebuild_all(
    struct db_conn *c, const struct rebuild_opts *o, struct rebuild_report *report, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena page;
	AUTO_RELEASE(buf_release) struct buf kept = BUF(MAX_ID_BYTES);
	struct str last = STR("");
	enum err_code rc = check_tenant(c, o->app_id, e);

	arena_init(&page);
	while (rc == ERR_OK && last.p != NULL) {
		rc = rebuild_page(c, o, &page, &last, report, e);
		if (rc == ERR_OK && last.p != NULL) {
			buf_clear(&kept);
			buf_add_str(&kept, last);
			last = buf_str(&kept);
		}
		arena_reset(&page);
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

static int
run(void *self, const struct conf *conf)
{
	struct rebuild_opts *o = self;
	AUTO(db_conn) struct db_conn *c = NULL;
	struct rebuild_report report = { 0 };
	struct err e;
	enum err_code rc = connect(conf, &c, &e);

	o->bytes = conf->worker_batch_bytes;
	o->records_from = rebuild_oldest_kept_ms(conf->records_retention_days);
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

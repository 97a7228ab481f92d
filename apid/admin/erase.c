/* One person's records and events go, because the law or the person wants it. workerd does it. */
#include "apid/handlers.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/admin/tasks.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/number.h"
#include "apid/edge/request.h"
#include "common/crypto/hmac.h"

#include <sodium.h>

/* Of the number's hash; so much tells two numbers apart. */
enum { HASH_BYTES = 12, MAX_DETAIL = 300, MAX_PARAMS = 100, MAX_COUNT = 10000 };

/* What the indexes find at once, up to a limit. The task looks at everything. */
#define SIDE(table, key)                                                                      \
	"(SELECT " key " FROM " table " WHERE app_id = $1 AND (\"from\" = $2 OR \"to\" = $2)" \
	" LIMIT $3 + 1)"
#define EVENTS_OF(log)                                                               \
	"SELECT 1 FROM " log " WHERE app_id = $1 AND dialpad_event_id = ANY (ARRAY(" \
	"SELECT call_id::text FROM c UNION ALL SELECT message_id::text FROM m))"

static const struct db_stmt COUNT = {
	.name = "erase_count",
	.sql = "WITH c AS " SIDE("calls", "call_id") ", m AS " SIDE(
	    "messages", "message_id") ", v AS " SIDE("voicemails",
	    "call_id") ", e AS (" EVENTS_OF("event_log") " UNION ALL " EVENTS_OF("event_log_archive") " LIMIT $3 + 1)"
												      " SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM m),"
												      " (SELECT count(*) FROM v), (SELECT count(*) FROM e)",
};

static const char *const COUNTED[] = { "calls", "messages", "voicemails", "events" };
enum { NCOUNTED = sizeof COUNTED / sizeof COUNTED[0] };

struct erasure {
	const struct http_req *req;
	struct uuid app_id;
	struct str number;
	bool dry_run;
	char key[2 * HASH_BYTES + 1]; /* stands for the number wherever it is remembered */
	struct db_result *count, *task;
};

/* Keyed: of a plain hash the number could be found by trying all. */
static void
hash_number(struct erasure *w)
{
	const struct apid *api = w->req->self;
	AUTO_RELEASE(buf_release) struct buf text = BUF(100);
	unsigned char hash[HMAC_BYTES];

	buf_add_c(&text, "erase|");
	buf_add(&text, w->app_id.b, sizeof w->app_id.b);
	buf_add_str(&text, w->number);
	hmac_sha256(api->pepper.each[0], buf_str(&text), hash);
	(void)sodium_bin2hex(w->key, sizeof w->key, hash, HASH_BYTES);
}

static void
put_counts(const struct db_result *r, struct json_out *j)
{
	bool capped = false;

	jo_obj(j);
	for (int i = 0; i < NCOUNTED; i++) {
		int64_t n = db_i64(r, 0, i);

		jo_kv_i64(j, COUNTED[i], n > MAX_COUNT ? MAX_COUNT : n);
		capped |= n > MAX_COUNT;
	}
	jo_kv_bool(j, "is_capped", capped);
	jo_end_obj(j);
}

/* ---- the transaction ---- */

static enum err_code
count(struct db_conn *c, const struct erasure *w, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc = db_command(c, "SET LOCAL plan_cache_mode = force_custom_plan", e);

	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	db_p_text(&p, w->number);
	db_p_i64(&p, MAX_COUNT);
	db_result_clear(w->count);
	return rc == ERR_OK ? db_exec(c, &COUNT, &p, w->count, e) : rc;
}

static enum err_code
queue(struct db_conn *c, const struct erasure *w, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf params = BUF(MAX_PARAMS), detail = BUF(MAX_DETAIL);
	struct task task = { .kind = "erase", .app_id = w->app_id, .key = str_of(w->key) };
	struct audit_line line = { .app_id = w->app_id, .action = "person.erased" };
	struct json_out j;
	enum err_code rc;

	jo_init(&j, &params);
	jo_obj(&j);
	jo_kv_str(&j, "number", w->number);
	jo_end_obj(&j);
	jo_init(&j, &detail);
	put_counts(w->count, &j);
	task.params = buf_str(&params);
	line.target = task.key;
	line.detail = buf_str(&detail);
	rc = tasks_queue(c, &task, w->task, e);
	return rc == ERR_OK ? audit_write(c, w->req, &line, e) : rc;
}

static enum err_code
run(struct db_conn *c, void *arg, struct err *e)
{
	const struct erasure *w = arg;
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = count(c, w, e);
	return rc == ERR_OK && !w->dry_run ? queue(c, w, e) : rc;
}

/* ---- the request ---- */

static enum err_code
read_request(struct http_req *req, struct json **body, struct erasure *w, struct err *e)
{
	static const char *const FIELDS[] = { "number", "dry_run", NULL };
	bool given;
	enum err_code rc = request_only_app(req, &w->app_id, e);

	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, body, e);
	if (rc == ERR_OK)
		rc = body_text(*body, "number", 20, &w->number, e);
	if (rc == ERR_OK)
		rc = body_bool(*body, "dry_run", &given, &w->dry_run, e);
	if (rc == ERR_OK && !number_is_e164(w->number))
		return err_set(e, ERR_INVALID,
		    "field \"number\" must be a whole telephone number such as +14155550123");
	return rc;
}

static void
answer(const struct erasure *w, struct http_res *res)
{
	struct json_out j;

	res->status = w->dry_run ? 200 : 202;
	jo_init(&j, &res->body);
	jo_obj(&j);
	if (!w->dry_run)
		tasks_render(w->task, 0, &j);
	jo_kv_bool(&j, "dry_run", w->dry_run);
	jo_key(&j, "will_remove");
	put_counts(w->count, &j);
	jo_end_obj(&j);
}

enum err_code
erase_create(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(db_result_clear) struct db_result counted = DB_RESULT_NONE;
	AUTO_RELEASE(db_result_clear) struct db_result task = DB_RESULT_NONE;
	struct erasure w = { .req = req, .count = &counted, .task = &task };
	enum err_code rc = read_request(req, &body, &w, e);

	if (rc != ERR_OK)
		return rc;
	hash_number(&w);
	rc = apid_admin_tx(req, run, &w, e);
	if (rc == ERR_OK)
		answer(&w, res);
	return rc;
}

enum err_code
erase_list(struct http_req *req, struct http_res *res, struct err *e)
{
	struct uuid app_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	return rc == ERR_OK ? tasks_list(req, res, "erase", app_id, "erasures", e) : rc;
}

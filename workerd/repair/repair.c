/*
 * Calls that were missed come back from Dialpad's list of concluded calls. Only missing ones are added,
 * as events of the log that rank below every end that Dialpad sent, so that a repair can be made any
 * number of times, and beside the webhooks. Dialpad has no list of texts: what was missed of them
 * is gone, and the result says so.
 *
 * Polite: at most ten pages a second, half of what Dialpad grants a company, one page at a time.
 */
#include "workerd/jobs/request.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/dialpad/event.h"
#include "common/json/json_copy.h"
#include "workerd/dialpad/dialpad.h"
#include "workerd/repair/repair_db.h"
#include "workerd/repair/repair_walk.h"

#include <inttypes.h>

enum {
	PAGE = 50,
	MAX_ITEM = 256 * 1024,
	PAUSE_MS = 100,
	AGAIN_MS = 10 * 60 * 1000, /* a call may appear in the list a while after its end */
};

static struct metric repaired_total = METRIC_COUNTER(
    "cti_repaired_calls_total", "Calls that were missed and found in Dialpad's list.", NULL);

struct repair {
	struct job_run *run;
	struct uuid app_id;
	struct str key;
	struct repair_walk walk;
	struct repair_call calls[PAGE]; /* of one page */
	int ncalls;
	struct arena arena;     /* of one page */
	int64_t retry_after_ms; /* Dialpad's wish, if it had one */
	bool cursor_refused;    /* Dialpad does not know it (any more) */
	bool done;
};

/* ---- one page ---- */

static bool
has_recordings(const struct json *item)
{
	static const char *const KEYS[] = { "recording_details", "recording_url",
		"admin_recording_urls" };

	for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
		const struct json *list = json_get(item, KEYS[i]);

		if (list != NULL && json_is_arr(list) && json_first(list) != NULL)
			return true;
	}
	return false;
}

static enum err_code
add_call(const struct json *item, void *arg, struct err *e)
{
	struct repair *rp = arg;
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_ITEM);
	struct repair_call call = { .has_recordings = has_recordings(item) };
	struct json_out j;
	int64_t earliest;

	jo_init(&j, &text);
	json_copy(item, &j);
	if (text.failed || !json_get_i64(item, "call_id", &call.call_id)) {
		log_warn(
		    "repair.not_a_call", "Dialpad lists one that is too large or has no call_id");
		return ERR_OK; /* it keeps no other from coming back */
	}
	if (rp->ncalls == PAGE)
		return err_set(e, ERR_UPSTREAM, "Dialpad, call.list: more than %d calls", PAGE);
	(void)dialpad_dates(item, &earliest, &call.event_at);
	call.payload = arena_dup(&rp->arena, buf_str(&text));
	rp->calls[rp->ncalls++] = call;
	return ERR_OK;
}

static enum err_code
fetch_page(struct str token, void *arg, struct err *e)
{
	struct repair *rp = arg;
	AUTO_RELEASE(buf_release) struct buf path = BUF(DIALPAD_MAX_PATH_BYTES);
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer answer = { .status = 0 };
	struct dialpad_list list = { "call.list", NULL, token, 0, add_call, rp };
	enum err_code rc;

	rp->ncalls = 0;
	arena_reset(&rp->arena);
	repair_walk_path(&rp->walk, &path);
	list.path = buf_c(&path);
	rc = dialpad_list_page(rp->run->opts->dialpad->api, &list, &rp->walk.cursor, &answer, e);
	rp->retry_after_ms = answer.retry_after_ms;
	rp->cursor_refused = (rc == ERR_INVALID || rc == ERR_NOT_FOUND) && rp->walk.cursor.n > 0;
	return rc;
}

static enum err_code
save_progress(struct repair *rp, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf params = BUF(REQUEST_MAX_JSON);

	repair_walk_write(&rp->walk, &params);
	return repair_db_progress(rp->run->conn, rp->app_id, rp->key, buf_str(&params), e);
}

/* Later this part of the range is asked for from its first page. */
static enum err_code
forget_cursor(struct repair *rp, const struct err *why, struct err *e)
{
	enum err_code rc;

	buf_clear(&rp->walk.cursor);
	rc = save_progress(rp, e);
	if (rc == ERR_OK)
		*e = *why;
	return e->code;
}

static enum err_code
repair_page(struct repair *rp, struct err *e)
{
	int64_t added = 0;
	struct err why;
	enum err_code rc = dialpad_with_token(
	    rp->run->opts->dialpad, rp->run->conn, rp->app_id, fetch_page, rp, e);

	if (rc != ERR_OK && rp->cursor_refused) {
		why = *e;
		return forget_cursor(rp, &why, e);
	}
	if (rc == ERR_OK && rp->ncalls > 0)
		rc = repair_db_append(rp->run->conn, rp->app_id, rp->calls, rp->ncalls, &added, e);
	if (rc != ERR_OK)
		return rc;
	rp->walk.listed += rp->ncalls;
	rp->walk.added += added;
	metric_add(&repaired_total, NULL, added);
	if (added > 0)
		job_hint_workers(rp->run);
	if (rp->walk.cursor.n == 0)
		rp->done = !repair_walk_next(&rp->walk);
	return save_progress(rp, e);
}

/* ---- one run ---- */

static void
report(const struct repair *rp, struct request_end *end)
{
	const struct repair_walk *w = &rp->walk;
	struct json_out j;

	jo_init(&j, &end->result);
	jo_obj(&j);
	jo_kv_i64(&j, "calls_listed", w->listed);
	jo_kv_i64(&j, "calls_added", w->added);
	jo_kv_str(&j, "texts",
	    STR("not repaired: Dialpad has no list of texts, so those that were missed are lost"));
	jo_end_obj(&j);
	log_info("repair.done", "reason=%.*s listed=%" PRId64 " added=%" PRId64, STR_ARG(w->reason),
	    w->listed, w->added);
}

static void
finish(struct repair *rp, struct request_end *end)
{
	report(rp, end);
	if (--rp->walk.passes <= 0)
		return;
	rp->walk.at = rp->walk.from;
	repair_walk_write(&rp->walk, &end->params);
	end->again_ms = AGAIN_MS;
}

static bool
may_go_on(struct job_run *r)
{
	if (r->wake == NULL)
		clock_sleep_ms(PAUSE_MS);
	else
		(void)wake_pause(r->wake, PAUSE_MS);
	return job_may_go_on(r);
}

static enum err_code
walk(struct repair *rp, struct request_end *end, struct err *e)
{
	enum err_code rc;

	do
		rc = repair_page(rp, e);
	while (rc == ERR_OK && !rp->done && may_go_on(rp->run));
	if (rc == ERR_OK && rp->done) {
		finish(rp, end);
	} else if (rc == ERR_OK || (rc == ERR_RATE_LIMITED && rp->retry_after_ms > 0)) {
		end->again_ms = rc == ERR_OK ? 0 : rp->retry_after_ms;
		repair_walk_write(&rp->walk, &end->params);
		rc = ERR_OK;
	}
	return rc;
}

void
repair_declare_metrics(void)
{
	metric_declare(&repaired_total, NULL);
}

enum err_code
request_repair(struct job_run *r, const struct request *q, struct request_end *end, struct err *e)
{
	AUTO(json) struct json *params = NULL;
	struct repair rp = { .run = r, .app_id = q->app_id, .key = q->key };
	enum err_code rc;

	if (!dialpad_is_set(r->opts->dialpad))
		return err_set(e, ERR_UNAVAILABLE, "workerd lacks %s or TOKEN_ENCRYPTION_KEY",
		    r->opts->conf->dialpad.client_id_name);
	rc = json_parse(q->params, &params, e);
	if (rc == ERR_OK)
		rc = repair_walk_read(params, &rp.walk, e);
	if (rc != ERR_OK)
		return rc;
	arena_init(&rp.arena);
	rc = walk(&rp, end, e);
	arena_release(&rp.arena);
	repair_walk_release(&rp.walk);
	return rc;
}

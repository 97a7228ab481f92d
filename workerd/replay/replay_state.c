#include "workerd/replay/replay_state.h"

#include "common/json/json_copy.h"
#include "workerd/jobs/request_json.h"

/* A year beyond which apid takes no time. */
static const int64_t YEAR_10000_MS = 253402300800000;

static const char *const KINDS[REBUILD_KINDS] = {
	[REBUILD_CALLS] = "calls",
	[REBUILD_MESSAGES] = "messages",
	[REBUILD_VOICEMAILS] = "voicemails",
};

/* The counts of one kind of record, for reading and writing. */
#define COUNTS(X) X(ids) X(same) X(different) X(missing) X(merged)

/* ---- reading ---- */

static void
read_report(const struct json *so_far, struct replay_state *s)
{
	(void)json_get_i64(so_far, "requeued", &s->requeued);
	(void)json_get_i64(so_far, "hastened", &s->hastened);
	for (int k = 0; k < REBUILD_KINDS; k++) {
		const struct json *counts = json_get(so_far, KINDS[k]);

#define X(name) (void)json_get_i64(counts, #name, &s->report.counts[k].name);
		COUNTS(X)
#undef X
	}
}

enum err_code
replay_state_read(const struct request *q, struct arena *a, struct replay_state *out, struct err *e)
{
	const struct json *p;
	enum err_code rc = request_params(q, a, &p, e);

	*out = (struct replay_state){
		.choice = { .app_id = q->app_id, .key = q->key, .to = YEAR_10000_MS },
		.after = STR(""),
	};
	db_array_init(&out->ids, DB_UUID);
	out->choice.ids = &out->ids;
	if (rc == ERR_OK)
		rc = request_uuids(p, "ids", &out->ids, e);
	if (rc != ERR_OK)
		return rc;
	out->asked_ids = json_get(p, "ids");
	(void)json_get_bool(p, "dry_run", &out->dry_run);
	(void)json_get_bool(p, "queued", &out->queued);
	(void)json_get_i64(p, "from", &out->choice.from);
	(void)json_get_i64(p, "to", &out->choice.to);
	(void)json_get_str(p, "kind", &out->choice.kind);
	(void)json_get_str(p, "after", &out->after);
	read_report(json_get(p, "so_far"), out);
	return ERR_OK;
}

void
replay_state_release(struct replay_state *s)
{
	db_array_release(&s->ids);
}

/* ---- writing ---- */

static void
write_counts(const struct rebuild_counts *c, struct json_out *j)
{
	jo_obj(j);
#define X(name) jo_kv_i64(j, #name, c->name);
	COUNTS(X)
#undef X
	jo_end_obj(j);
}

static void
write_report(const struct replay_state *s, struct json_out *j)
{
	jo_obj(j);
	jo_kv_bool(j, "dry_run", s->dry_run);
	jo_kv_i64(j, "requeued", s->requeued);
	jo_kv_i64(j, "hastened", s->hastened);
	for (int k = 0; k < REBUILD_KINDS; k++) {
		jo_key(j, KINDS[k]);
		write_counts(&s->report.counts[k], j);
	}
	jo_end_obj(j);
}

void
replay_state_report(const struct replay_state *s, struct buf *out)
{
	struct json_out j;

	jo_init(&j, out);
	write_report(s, &j);
}

void
replay_state_write(const struct replay_state *s, struct buf *out)
{
	struct json_out j;

	jo_init(&j, out);
	jo_obj(&j);
	jo_kv_bool(&j, "dry_run", s->dry_run);
	if (s->ids.n > 0) {
		jo_key(&j, "ids");
		json_copy(s->asked_ids, &j);
	}
	jo_kv_i64(&j, "from", s->choice.from);
	jo_kv_i64(&j, "to", s->choice.to);
	jo_kv_str(&j, "kind", s->choice.kind);
	jo_kv_bool(&j, "queued", s->queued);
	jo_kv_str(&j, "after", s->after);
	jo_key(&j, "so_far");
	write_report(s, &j);
	jo_end_obj(&j);
}

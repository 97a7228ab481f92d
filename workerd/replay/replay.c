/*
 * Events again, because an admin asked for it: dead ones get new attempts, waiting ones are due at once,
 * and the records that came of the others are folded anew from all that log and archive have of them.
 * The log itself is only read. Events set aside for another reason stay so: trying again would end in
 * the same verdict.
 */
#include "workerd/replay/replay_state.h"

#include "common/base/log.h"
#include "common/conf/conf.h"
#include "workerd/jobs/request_json.h"
#include "workerd/rebuild/rebuild_walk.h"

struct chunk {
	const struct replay_choice *choice;
	int64_t events;
};

static enum err_code
requeue_chunk(struct job_run *r, void *arg, struct err *e)
{
	struct chunk *c = arg;

	return replay_requeue(r->conn, c->choice, JOB_CHUNK, &c->events, e);
}

static enum err_code
hasten(struct job_run *r, void *arg, struct err *e)
{
	struct chunk *c = arg;

	return replay_hasten(r->conn, c->choice, &c->events, e);
}

static enum err_code
requeue(struct job_run *r, struct replay_state *s, struct err *e)
{
	struct chunk c = { &s->choice, JOB_CHUNK };
	bool busy = false;
	enum err_code rc = ERR_OK;

	while (c.events == JOB_CHUNK) {
		if (!job_may_go_on(r))
			return ERR_OK;
		rc = job_in_turn(r, s->choice.app_id, requeue_chunk, &c, &busy, e);
		if (rc != ERR_OK || busy)
			return rc;
		s->requeued += c.events;
	}
	rc = job_in_turn(r, s->choice.app_id, hasten, &c, &busy, e);
	if (rc != ERR_OK || busy)
		return rc;
	s->hastened = c.events;
	s->queued = true;
	job_hint_workers(r);
	return ERR_OK;
}

static enum err_code
count(struct job_run *r, struct replay_state *s, struct err *e)
{
	enum err_code rc = replay_count(r->conn, &s->choice, &s->requeued, &s->hastened, e);

	s->queued = rc == ERR_OK;
	return rc;
}

static enum err_code
rebuild(struct job_run *r, struct replay_state *s, struct arena *a, struct err *e)
{
	const struct conf *conf = r->opts->conf;
	const struct rebuild_opts o = {
		.app_id = s->choice.app_id,
		.from = s->choice.from,
		.to = s->choice.to,
		.dry_run = s->dry_run,
		.kind = s->choice.kind,
		.events = s->ids.n > 0 ? &s->ids : NULL,
		.records_from = rebuild_oldest_kept_ms(conf->records_retention_days),
		.bytes = conf->worker_batch_bytes,
	};
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && s->after.p != NULL && job_may_go_on(r))
		rc = rebuild_page(r->conn, &o, a, &s->after, &s->report, e);
	return rc;
}

static enum err_code
go_on(struct job_run *r, struct replay_state *s, struct arena *a, struct err *e)
{
	enum err_code rc = request_check_app(r, s->choice.app_id, e);

	if (rc == ERR_OK && !s->queued)
		rc = s->dry_run ? count(r, s, e) : requeue(r, s, e);
	if (rc == ERR_OK && s->queued)
		rc = rebuild(r, s, a, e);
	return rc;
}

enum err_code
request_replay(struct job_run *r, const struct request *q, struct request_end *end, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena a;
	AUTO_RELEASE(replay_state_release) struct replay_state s;
	enum err_code rc;

	arena_init(&a);
	rc = replay_state_read(q, &a, &s, e);
	if (rc == ERR_OK)
		rc = go_on(r, &s, &a, e);
	if (rc != ERR_OK)
		return rc;
	replay_state_report(&s, &end->result);
	if (!s.queued || s.after.p != NULL) {
		end->again_ms = 0;
		replay_state_write(&s, &end->params);
		return ERR_OK;
	}
	log_info("events.replayed", "requeued=%lld", (long long)s.requeued);
	return ERR_OK;
}

#include "apid/live/poll.h"

#include "apid/live/events_answer.h"
#include "apid/live/hub.h"
#include "common/http/http_late.h"

struct poll {
	struct live_sub *sub;
	struct http_late *late;
	int64_t limit;
};

/* ---- with the hub's lock held ---- */

static void
begin(const struct live_sub *s, struct events_answer *a)
{
	const struct poll *p = s->arg;
	const struct feed_scope scope = { live_hub_cursor_keys(s->hub), s->pass.app_id };

	events_begin(a, &scope, s->types, p->limit, s->pos);
}

/* Once: from now on it is given nothing more. */
static void
answer(struct live_sub *s, struct str body)
{
	const struct poll *p = s->arg;

	s->ended = true;
	http_late_answer(p->late, body);
}

static void
give_rows(struct live_sub *s, struct feed_page *page)
{
	AUTO_RELEASE(events_release) struct events_answer a;

	begin(s, &a);
	events_add(&a, page);
	s->pos = a.pos;
	if (a.n > 0)
		answer(s, events_end(&a));
}

static void
give_resync(struct live_sub *s)
{
	AUTO_RELEASE(events_release) struct events_answer a;

	begin(s, &a);
	answer(s, events_resync(&a, s->pos));
}

/* Whoever asks again from the same place misses nothing. */
static void
give_nothing(struct live_sub *s)
{
	AUTO_RELEASE(events_release) struct events_answer a;

	begin(s, &a);
	answer(s, events_end(&a));
}

static void
end_poll(struct live_sub *s, enum live_end why)
{
	(void)why;
	give_nothing(s);
}

/* ---- the calls of the late answer ---- */

static void
on_open(void *arg, struct http_late *l)
{
	struct poll *p = arg;

	p->late = l;
	live_sub_join(p->sub);
}

static void
on_due(void *arg)
{
	struct poll *p = arg;

	live_lock(p->sub->hub);
	if (!p->sub->ended)
		give_nothing(p->sub);
	live_unlock(p->sub->hub);
}

static void
on_gone(void *arg)
{
	struct poll *p = arg;

	live_sub_free(p->sub);
	free(p);
}

enum err_code
live_poll_wait(struct http_req *req, struct http_res *res, struct live_hub *h,
    const struct live_poll_opts *o, struct err *e)
{
	static const struct live_transport transport = {
		.rows = give_rows, .resync = give_resync, .end = end_poll
	};
	static const struct http_late_calls calls = { on_open, on_due, on_gone };
	struct poll *p = calloc(1, sizeof *p);
	enum err_code rc;

	if (p == NULL)
		abort();
	p->limit = o->limit;
	rc = live_sub_new(h, &o->pass, &transport, p, &p->sub, e);
	if (rc != ERR_OK) {
		free(p);
		return rc;
	}
	p->sub->pos = o->pos;
	p->sub->types = o->types;
	http_late_leave(req, res, &calls, p, o->wait_ms);
	return ERR_OK;
}

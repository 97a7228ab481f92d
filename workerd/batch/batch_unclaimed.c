#include "workerd/batch/batch_unclaimed.h"

#include "common/base/log.h"
#include "workerd/claim/claim_db.h"

#include <inttypes.h>
#include <stdio.h>

struct work {
	const struct batch *b;
	struct dialpad_owner *facts; /* of each event */
	struct claim *claims;
	int nclaims;
	struct claim_gift *gifts;
	int ngifts;
};

static bool
is_gone(const struct queue_event *ev)
{
	return ev->payload.p == NULL && !ev->is_raw;
}

static enum err_code
end(struct work *w, const struct queue_event *ev, const char *verdict, const char *why,
    struct err *e)
{
	return queue_outcome(w->b->conn, UUID_NIL, ev, verdict, why, e);
}

static enum err_code
leave_unclaimed(struct work *w, const struct queue_event *ev, int64_t organisation, const char *why,
    struct err *e)
{
	char reason[160];

	if (organisation != 0)
		(void)snprintf(
		    reason, sizeof reason, "Unknown app: %" PRId64 " (%s)", organisation, why);
	else
		(void)snprintf(reason, sizeof reason, "Unknown app: %s", why);
	w->b->report->unclaimed++;
	return end(w, ev, "unclaimed", reason, e);
}

static enum err_code
settle(struct work *w, int i, struct err *e)
{
	const struct queue_event *ev = &w->b->events[i];
	struct uuid app_id;
	const char *why;

	if (is_gone(ev)) {
		w->b->report->set_aside++;
		return end(w, ev, "dead", "no longer in the log", e);
	}
	if (!claim_decide(w->claims, w->nclaims, &w->facts[i], &app_id, &why))
		return leave_unclaimed(w, ev, w->facts[i].organisation, why, e);
	w->gifts[w->ngifts++] = (struct claim_gift){ ev->id, app_id };
	return end(w, ev, "assigned", NULL, e);
}

static enum err_code
finish(struct work *w, struct err *e)
{
	const struct batch *b = w->b;
	enum err_code rc = claims_give(b->conn, w->gifts, w->ngifts, e);

	if (rc == ERR_OK)
		rc = queue_remove(b->conn, UUID_NIL, b->events, b->nevents, e);
	if (rc == ERR_OK)
		rc = tenant_served(b->conn, UUID_NIL, 0, b->alone, e);
	return rc;
}

enum err_code
batch_unclaimed(const struct batch *b, struct err *e)
{
	size_t room = (size_t)b->nevents + 1;
	struct work w = { .b = b };
	enum err_code rc;

	w.facts = arena_new(b->arena, struct dialpad_owner, room);
	w.gifts = arena_new(b->arena, struct claim_gift, room);
	for (int i = 0; i < b->nevents; i++)
		dialpad_owner_read(b->events[i].payload, &w.facts[i]);
	rc = claims_load(b->conn, b->opts->single_tenant, w.facts, b->nevents, b->arena, &w.claims,
	    &w.nclaims, e);
	for (int i = 0; i < b->nevents && rc == ERR_OK; i++)
		rc = settle(&w, i, e);
	if (rc == ERR_OK)
		rc = finish(&w, e);
	if (rc == ERR_OK && b->report->unclaimed > 0)
		log_warn("event.unclaimed", "events=%d", b->report->unclaimed);
	return rc;
}

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
	struct queue_verdict *verdicts; /* of each event, too */
};

static bool
is_gone(const struct queue_event *ev)
{
	return ev->payload.p == NULL && !ev->is_raw;
}

static const char *
reason(const struct work *w, int64_t organisation, const char *why)
{
	char text[160];

	if (organisation != 0)
		(void)snprintf(
		    text, sizeof text, "Unknown app: %" PRId64 " (%s)", organisation, why);
	else
		(void)snprintf(text, sizeof text, "Unknown app: %s", why);
	return arena_cstr(w->b->arena, str_of(text));
}

static void
judge(struct work *w, int i)
{
	const struct queue_event *ev = &w->b->events[i];
	struct queue_verdict *v = &w->verdicts[i];
	struct uuid app_id;
	const char *why;

	*v = (struct queue_verdict){ .id = ev->id, .attempts = ev->attempts };
	if (is_gone(ev)) {
		v->verdict = "dead";
		v->error = "no longer in the log";
		w->b->report->set_aside++;
	} else if (claim_decide(w->claims, w->nclaims, &w->facts[i], &app_id, &why)) {
		v->verdict = "assigned";
		w->gifts[w->ngifts++] = (struct claim_gift){ ev->id, app_id };
	} else {
		v->verdict = "unclaimed";
		v->error = reason(w, w->facts[i].organisation, why);
		w->b->report->unclaimed++;
	}
}

static enum err_code
finish(struct work *w, struct err *e)
{
	const struct batch *b = w->b;
	enum err_code rc = queue_outcomes(b->conn, UUID_NIL, w->verdicts, b->nevents, e);

	if (rc == ERR_OK)
		rc = claims_give(b->conn, w->gifts, w->ngifts, e);
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
	w.verdicts = arena_new(b->arena, struct queue_verdict, room);
	for (int i = 0; i < b->nevents; i++)
		dialpad_owner_read(b->events[i].payload, &w.facts[i]);
	rc = claims_load(b->conn, b->opts->single_tenant, w.facts, b->nevents, b->arena, &w.claims,
	    &w.nclaims, e);
	for (int i = 0; i < b->nevents && rc == ERR_OK; i++)
		judge(&w, i);
	if (rc == ERR_OK)
		rc = finish(&w, e);
	if (rc == ERR_OK && b->report->unclaimed > 0)
		log_warn("event.unclaimed", "events=%d", b->report->unclaimed);
	return rc;
}

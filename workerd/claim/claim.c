#include "workerd/claim/claim.h"

struct found {
	const struct claim *claim; /* the first */
	bool several;              /* claims of different apps */
};

static bool
any_has(const struct claim *claims, int n, enum claim_kind kind, int64_t id, struct uuid app_id)
{
	for (int i = 0; i < n; i++)
		if (claims[i].kind == kind && claims[i].dialpad_id == id
		    && uuid_eq(claims[i].app_id, app_id))
			return true;
	return false;
}

/* The claims of this kind on this id; with an office, only those of apps that have it too. */
static struct found
find(const struct claim *claims, int n, enum claim_kind kind, int64_t id, int64_t with_office)
{
	struct found f = { 0 };

	if (id == 0 && kind != CLAIM_ELIGIBLE)
		return f;
	for (int i = 0; i < n; i++) {
		const struct claim *c = &claims[i];

		if (c->kind != kind || c->dialpad_id != id)
			continue;
		if (with_office != 0 && !any_has(claims, n, CLAIM_OFFICE, with_office, c->app_id))
			continue;
		if (f.claim == NULL)
			f.claim = c;
		else
			f.several = f.several || !uuid_eq(f.claim->app_id, c->app_id);
	}
	return f;
}

static struct found
find_by_organisation(const struct claim *claims, int n, const struct dialpad_owner *facts)
{
	struct found all = find(claims, n, CLAIM_ORGANISATION, facts->organisation, 0);
	struct found near = { 0 };

	if (all.several && facts->office != 0)
		near = find(claims, n, CLAIM_ORGANISATION, facts->organisation, facts->office);
	return near.claim != NULL ? near : all;
}

static const char *
objection(const struct found *f)
{
	if (f->claim == NULL)
		return "no app may take events of the bare webhook URL";
	if (!f->claim->eligible)
		return "the rule for it names an app that may not take events of the bare webhook "
		       "URL";
	if (!f->several)
		return NULL;
	switch (f->claim->kind) {
	case CLAIM_ORGANISATION: return "several apps belong to its organisation";
	case CLAIM_OFFICE: return "several apps have its office";
	case CLAIM_TARGET_RULE:
	case CLAIM_OFFICE_RULE:
	case CLAIM_ELIGIBLE: break;
	}
	return "several apps may take events of the bare webhook URL, and nothing says which";
}

bool
claim_decide(const struct claim *claims, int n, const struct dialpad_owner *facts,
    struct uuid *app_id, const char **why)
{
	struct found f = find(claims, n, CLAIM_TARGET_RULE, facts->target, 0);

	if (f.claim == NULL)
		f = find(claims, n, CLAIM_OFFICE_RULE, facts->office, 0);
	if (f.claim == NULL)
		f = find_by_organisation(claims, n, facts);
	if (f.claim == NULL)
		f = find(claims, n, CLAIM_OFFICE, facts->office, 0);
	if (f.claim == NULL)
		f = find(claims, n, CLAIM_ELIGIBLE, 0, 0);
	*why = objection(&f);
	if (f.claim == NULL || *why != NULL)
		return false;
	*app_id = f.claim->app_id;
	return true;
}

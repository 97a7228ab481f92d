#include "workerd/claim/claim.h"

#include "common/json/json_in.h"

/* ---- what a payload says ---- */

/* In the spellings met. */
static int64_t
organisation(const struct json *claims)
{
	static const char *const keys[] = { "organization_id", "org_id" };
	int64_t id;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (json_get_i64(claims, keys[i], &id))
			return id;
	if (json_get_i64(json_get(claims, "company"), "id", &id))
		return id;
	return json_get_i64(claims, "company_id", &id) ? id : 0;
}

/* An office is named by the target that lies in it, or is the target itself. */
static int64_t
office(const struct json *target)
{
	struct str type;
	int64_t id;

	if (json_get_i64(target, "office_id", &id))
		return id;
	if (json_get_str(target, "type", &type) && str_eq(type, STR("office"))
	    && json_get_i64(target, "id", &id))
		return id;
	return 0;
}

void
claim_read(struct str payload, struct claim_facts *out)
{
	AUTO(json) struct json *claims = NULL;
	const struct json *target;
	struct err ignored;

	*out = (struct claim_facts){ 0 };
	if (payload.p == NULL || json_parse(payload, &claims, &ignored) != ERR_OK)
		return;
	target = json_get(claims, "target");
	out->organisation = organisation(claims);
	out->office = office(target);
	if (!json_get_i64(target, "id", &out->target))
		out->target = 0;
}

/* ---- whose it is ---- */

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
find_by_organisation(const struct claim *claims, int n, const struct claim_facts *facts)
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
claim_decide(const struct claim *claims, int n, const struct claim_facts *facts,
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
	if (*why != NULL)
		return false;
	*app_id = f.claim->app_id;
	return true;
}

#include "common/dialpad/owner.h"

#include "common/json/json_in.h"

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
dialpad_owner_read(struct str payload, struct dialpad_owner *out)
{
	AUTO(json) struct json *claims = NULL;
	const struct json *target;
	struct err ignored;

	*out = (struct dialpad_owner){ 0 };
	if (payload.p == NULL || json_parse(payload, &claims, &ignored) != ERR_OK)
		return;
	target = json_get(claims, "target");
	out->organisation = organisation(claims);
	out->office = office(target);
	if (!json_get_i64(target, "id", &out->target))
		out->target = 0;
}

#include "apid/live/types.h"

static const char *const NAMES[] = {
	"call.started",
	"call.updated",
	"call.ended",
	"message.received",
	"message.sent",
	"message.updated",
	"voicemail.created",
	"voicemail.updated",
	"connection.updated",
};

enum { KNOWN = sizeof NAMES / sizeof NAMES[0], UNKNOWN_BIT = 31, QUOTED_CHARS = 40 };

static uint32_t
find(struct str name)
{
	for (uint32_t i = 0; i < KNOWN; i++)
		if (str_eq(name, str_of(NAMES[i])))
			return UINT32_C(1) << i;
	return 0;
}

uint32_t
live_type_of(struct str name)
{
	uint32_t bit = find(name);

	return bit != 0 ? bit : UINT32_C(1) << UNKNOWN_BIT;
}

enum err_code
live_types_add(uint32_t *types, struct str name, struct err *e)
{
	uint32_t bit = find(name);

	if (bit == 0)
		return err_set(e, ERR_INVALID,
		    "\"types\": there is no type \"%.*s\"; there are call., message., voicemail. "
		    "and connection. with what happened to it",
		    (int)(name.n < QUOTED_CHARS ? name.n : QUOTED_CHARS), name.p);
	*types |= bit;
	return ERR_OK;
}

enum err_code
live_types_parse(struct str list, uint32_t *out, struct err *e)
{
	uint32_t types = 0;
	enum err_code rc = ERR_OK;

	if (list.p == NULL) {
		*out = LIVE_TYPES_ALL;
		return ERR_OK;
	}
	while (list.p != NULL && rc == ERR_OK) {
		struct str name = str_trim(str_cut(list, ',', &list));

		rc = live_types_add(&types, name, e);
	}
	if (rc == ERR_OK)
		*out = types;
	return rc;
}

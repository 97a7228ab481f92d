#include "common/dialpad/call_state.h"

static const struct call_state states[] = {
#define X(name, rank, status, voicemail) { name, rank, status, voicemail },
	CALL_STATES(X)
#undef X
};

static const struct call_state unknown = { "", 0, CALL_BY_DATES, false };

const struct call_state *
call_state_find(struct str name)
{
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (str_eq(name, str_of(states[i].name)))
			return &states[i];
	return &unknown;
}

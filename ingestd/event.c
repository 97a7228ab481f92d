#include "ingestd/event.h"

#include "common/base/clock.h"
#include "common/dialpad/event.h"

void
event_make(struct uuid app_id, int32_t hook, struct str claims, struct arena *a, struct event *out)
{
	const struct json *doc;
	struct dialpad_event seen;
	struct err ignored;

	*out = (struct event){
		.app_id = app_id,
		.id = uuid_v7(),
		.hook = hook,
		.arrived_at = clock_wall_ms(),
		.claims = claims,
	};
	if (json_parse_in(a, claims, &doc, &ignored) != ERR_OK || !json_is_obj(doc))
		return;
	dialpad_event_read(doc, a, &seen);
	out->is_json = true;
	out->event_at = seen.event_at;
	out->type = seen.type;
	out->dialpad_id = seen.id_text;
}

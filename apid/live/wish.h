/*
 * wish - what a client says on its socket: {"type":"subscribe", …}.
 *
 * Use:      live_wish_read() for each message.
 * Owns:     a wish owns its document until live_wish_release(); its texts are lent from it.
 * Threads:  plain values.
 * Errors:   INVALID, in words for the client.
 * Not for:  whether the key and the cursor are good.
 */
#ifndef CTI_APID_LIVE_WISH_H
#define CTI_APID_LIVE_WISH_H

#include "common/base/err.h"
#include "common/base/str.h"
#include "common/json/json_in.h"

struct live_wish {
	struct json *doc;
	bool has_types;
	uint32_t types;
	struct str after, api_key; /* STR_NONE when absent */
};

CTI_MUST_CHECK enum err_code live_wish_read(
    struct str message, struct live_wish *out, struct err *e);
void live_wish_release(struct live_wish *w);

#endif

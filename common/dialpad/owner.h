/*
 * owner - what a payload says of whose it is: a company, an office, a target.
 *
 * Use:      dialpad_owner_read() on an event that names no tenant by its URL.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none: a payload that cannot be read names nothing.
 * Not for:  deciding which app gets it (workerd/claim/claim.h).
 */
#ifndef CTI_DIALPAD_OWNER_H
#define CTI_DIALPAD_OWNER_H

#include "common/base/str.h"

/* Dialpad's ids; 0: the payload names none. */
struct dialpad_owner {
	int64_t organisation, office, target;
};

void dialpad_owner_read(struct str payload, struct dialpad_owner *out);

#endif

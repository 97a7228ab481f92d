/*
 * batch_crash - in builds for tests an event can ask for the death of the worker that reads it.
 *
 * Use:      batch_crash_if_asked() on each payload, where a defect of the fold would strike.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   the process aborts.
 * Not for:  the release build, which has nothing of it.
 */
#ifndef CTI_BATCH_CRASH_H
#define CTI_BATCH_CRASH_H

#include "common/base/str.h"

#include <stdlib.h>

static inline void
batch_crash_if_asked(struct str payload)
{
#ifdef CTI_TEST_HOOKS
	static const char mark[] = "\"cti_test_crash\":true";

	if (memmem(payload.p, payload.n, mark, sizeof mark - 1) != NULL)
		abort();
#else
	(void)payload;
#endif
}

#endif

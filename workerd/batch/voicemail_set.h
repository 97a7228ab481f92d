/*
 * voicemail_set - the voicemails that follow from a set of calls, as a record_set of their own.
 *
 * Use:      voicemail_set_load() once the calls are folded, then record_set_save() it like them.
 * Owns:     as record_set.h.
 * Threads:  one connection, one thread.
 * Errors:   as db.h.
 *
 * A voicemail is a projection of its call: nothing is folded into it.
 */
#ifndef CTI_VOICEMAIL_SET_H
#define CTI_VOICEMAIL_SET_H

#include "workerd/batch/record_set.h"

CTI_MUST_CHECK enum err_code voicemail_set_load(struct db_conn *c, struct uuid app_id,
    const struct record_set *calls, struct arena *a, struct record_set *out, struct err *e);

#endif

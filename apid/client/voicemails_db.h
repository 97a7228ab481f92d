/*
 * voicemails_db - the statements that read voicemails, and the filters of their list.
 *
 * Use:      by the handlers in voicemails.c, through list.h and item.h.
 * Owns:     nothing; static.
 * Threads:  read-only.
 * Errors:   none.
 * Not for:  writing: voicemails belong to workerd.
 */
#ifndef CTI_APID_VOICEMAILS_DB_H
#define CTI_APID_VOICEMAILS_DB_H

#include "apid/client/item.h"
#include "apid/client/list.h"

extern const struct list VOICEMAILS_LIST;
extern const struct item_kind VOICEMAILS_ITEM;

#endif

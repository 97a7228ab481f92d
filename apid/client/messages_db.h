/*
 * messages_db - the statements that read messages, and the filters of their list.
 *
 * Use:      by the handlers in messages.c, through list.h and item.h.
 * Owns:     nothing; static.
 * Threads:  read-only.
 * Errors:   none.
 * Not for:  writing: messages belong to workerd.
 */
#ifndef CTI_APID_MESSAGES_DB_H
#define CTI_APID_MESSAGES_DB_H

#include "apid/client/item.h"
#include "apid/client/list.h"

extern const struct list MESSAGES_LIST;
extern const struct item_kind MESSAGES_ITEM;

#endif

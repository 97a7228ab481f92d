/*
 * conf_dialpad - the options about Dialpad that depend on each other: environment, client, scopes.
 *
 * Use:      conf_dialpad_resolve() once all options are read; conf_dialpad_warnings() at last.
 * Owns:     nothing; new strings live in the configuration's arena.
 * Threads:  no shared state.
 * Errors:   a fault is one line of text that names the variable; the number of faults is returned.
 * Not for:  anything outside common/conf.
 */
#ifndef CTI_CONF_DIALPAD_H
#define CTI_CONF_DIALPAD_H

#include "common/conf/conf.h"

/* Fills c->dialpad from the options of c->production's environment. */
int conf_dialpad_resolve(struct conf *c, enum conf_daemon daemon, struct buf *faults);

void conf_dialpad_warnings(const struct conf *c, struct buf *out);

/* "https://host:port" of a URL; STR_NONE when it is none. */
struct str conf_origin(struct str url);

#endif

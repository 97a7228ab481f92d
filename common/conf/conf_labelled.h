/*
 * conf_labelled - a list of secrets with a name each: "alice:secret,ci:secret".
 *
 * Use:      conf_labelled_check() while loading, conf_labelled_next() to walk over the list.
 * Owns:     nothing; label and secret are borrowed from the list.
 * Threads:  pure.
 * Errors:   INVALID, naming the label at fault and never a secret.
 * Not for:  single secrets, which may hold commas and colons.
 */
#ifndef CTI_CONF_LABELLED_H
#define CTI_CONF_LABELLED_H

#include "common/base/err.h"
#include "common/base/str.h"

enum { CONF_MAX_LABEL = 40, CONF_LABELLED_MIN_SECRET = 16, CONF_MAX_LABELLED = 90 };

/* False at the end. A label ends at the first colon; blanks around an item are dropped. */
bool conf_labelled_next(struct str *list, struct str *label, struct str *secret);

CTI_MUST_CHECK enum err_code conf_labelled_check(
    const char *variable, struct str list, struct err *e);

#endif

/*
 * number - is a text a telephone number as Dialpad writes it?
 *
 * Use:      on what a client or an admin sends.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  making one of other spellings: numbers are compared as they are.
 */
#ifndef CTI_APID_NUMBER_H
#define CTI_APID_NUMBER_H

#include "common/base/str.h"

/* "+14155550123" */
bool number_is_e164(struct str s);

/* A short code or an extension: digits without a plus. */
bool number_is_local(struct str s);

#endif

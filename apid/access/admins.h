/*
 * admins - the secrets that open /internal, and the name of each for the audit.
 *
 * Use:      admins_new() at start, admins_name() per request.
 * Owns:     keyed hashes of the secrets, never the secrets.
 * Threads:  read-only after admins_new.
 * Errors:   none.
 * Not for:  keys of clients (keyring.h).
 */
#ifndef CTI_APID_ADMINS_H
#define CTI_APID_ADMINS_H

#include "common/base/own.h"
#include "common/conf/conf.h"

struct admins;

struct admins *admins_new(const struct conf *c);
void admins_free(struct admins *a); /* NULL is allowed */

bool admins_exist(const struct admins *a);

/* "admin", "admin-previous" or a label of INTERNAL_API_SECRETS, as long as `a` lives; NULL: the
 * secret is nobody's. The time taken tells nothing. */
const char *admins_name(const struct admins *a, struct str secret);

OWN_DEFINE(admins, struct admins *, NULL, admins_free)

#endif

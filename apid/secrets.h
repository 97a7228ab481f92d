/*
 * secrets - fresh values for the secrets that the daemons need.
 *
 * Use:      `apid --generate-secrets >> .env`.
 * Owns:     nothing; the bytes are wiped.
 * Threads:  from main. sodium_init() must have been called.
 * Errors:   false when they could not be written.
 */
#ifndef CTI_APID_SECRETS_H
#define CTI_APID_SECRETS_H

#include <stdbool.h>
#include <stdio.h>

/* NAME=value lines; each value is 32 random bytes as base64url. */
bool secrets_print(FILE *out);

#endif

/*
 * log_redact - stars over what must not be read in a log line. The net below "never log it".
 *
 * Use:      log_redact() on each text before it is printed; secrets come from log_register_secret().
 * Owns:     a copy of each registered secret, until the process ends.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  texts that were cut before: half a secret is not recognised. Redact first, then cut.
 */
#ifndef CTI_LOG_REDACT_H
#define CTI_LOG_REDACT_H

#include <stddef.h>

/* Rewrite n bytes in place; returns the new, never greater, length. */
size_t log_redact(char *text, size_t n);

#endif

/*
 * misdirected - webhooks that reach apid instead of ingestd.
 *
 * Use:      misdirected_declare() at start; the handler is in handlers.h.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none.
 */
#ifndef CTI_APID_MISDIRECTED_H
#define CTI_APID_MISDIRECTED_H

/* The metric is shown at zero, so that the first one already shows as an increase. */
void misdirected_declare(void);

#endif

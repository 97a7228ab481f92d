/*
 * sdnotify - tell systemd that the daemon is ready, lives, or is stopping.
 *
 * Use:      sdnotify("READY=1"); for units of Type=notify.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none: without $NOTIFY_SOCKET, or when nobody listens there, nothing happens.
 * Not for:  the log.
 */
#ifndef CTI_SDNOTIFY_H
#define CTI_SDNOTIFY_H

#include <stdint.h>

void sdnotify(const char *state);

/* WatchdogSec= of the unit, in microseconds: how long systemd waits for a "WATCHDOG=1" before it
 * restarts the daemon. 0: it does not. */
int64_t sdnotify_watchdog_us(void);

#endif

/*
 * sdnotify - tell systemd that the daemon is ready, or is stopping.
 *
 * Use:      sdnotify("READY=1"); for units of Type=notify.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none: without $NOTIFY_SOCKET, or when nobody listens there, nothing happens.
 * Not for:  the log.
 */
#ifndef CTI_SDNOTIFY_H
#define CTI_SDNOTIFY_H

void sdnotify(const char *state);

#endif

/*
 * rebuild - `workerd --rebuild`: an app's records made again from the log, beside live workers.
 *
 * Use:      among the commands of a daemon_spec (common/run/daemon.h).
 * Owns:     one connection while it runs.
 * Threads:  the main one.
 * Errors:   exit code 1 and a line of log; what was committed stays, and it can be run again.
 */
#ifndef CTI_REBUILD_H
#define CTI_REBUILD_H

#include "common/run/daemon.h"

extern const struct daemon_command rebuild_command; /* --rebuild */

#endif

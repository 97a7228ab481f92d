/*
 * reseal - `workerd --reseal`: every sealed token anew, under the present TOKEN_ENCRYPTION_KEY.
 *
 * Use:      after a new key was given to all processes, with the one before as its _PREVIOUS. When it
 *           has ended with 0, the previous key is needed no more.
 * Owns:     a connection while it runs.
 * Threads:  one; daemons may run beside it, each connection is locked while it is sealed anew.
 * Errors:   exit code 1: the log names the apps whose tokens did not open, or says why it ended early.
 */
#ifndef CTI_RESEAL_H
#define CTI_RESEAL_H

#include "common/run/daemon.h"

extern const struct daemon_command reseal_command;

#endif

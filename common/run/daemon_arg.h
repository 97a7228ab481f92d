/*
 * daemon_arg - the command line of a daemon: at most one argument, which answers and ends.
 *
 * Use:      daemon_arg() first; true means: exit with *exit_code.
 * Owns:     nothing.
 * Threads:  call from main, before any thread exists.
 * Errors:   an unknown argument: usage on stderr, 64.
 * Not for:  settings: these come from the environment (common/conf).
 */
#ifndef CTI_DAEMON_ARG_H
#define CTI_DAEMON_ARG_H

#include "common/run/daemon.h"

enum {
	DAEMON_EXIT_OK = 0,
	DAEMON_EXIT_FAILED = 1,
	DAEMON_EXIT_USAGE = 64,
	DAEMON_EXIT_CONFIG = 78
};

bool daemon_arg(const struct daemon_spec *d, int argc, char **argv, int *exit_code);

/* The configuration of environ; faults and warnings go to stderr, one per line. */
CTI_MUST_CHECK bool daemon_load_conf(const struct daemon_spec *d, struct conf *c);

#endif

/*
 * daemon - what the three main() functions share: arguments, configuration, signals, exit.
 *
 * Use:      fill a struct daemon_spec, `return daemon_run(&spec, argc, argv);`.
 * Owns:     the process: signal mask, limits, exit code, and the configuration.
 * Threads:  call from main, before any thread exists. SIGTERM, SIGINT, SIGHUP and SIGUSR1 are
 *           blocked in every thread and taken by sigwait here; there are no signal handlers.
 * Errors:   exit codes: 0 clean, 64 bad usage, 78 bad configuration, 1 other.
 * Not for:  daemonising: it stays in the foreground, a supervisor does the rest.
 */
#ifndef CTI_DAEMON_H
#define CTI_DAEMON_H

#include "common/base/err.h"
#include "common/conf/conf.h"

/* Work that a daemon can do instead of serving: "workerd --rebuild --app …". */
struct daemon_command {
	const char *name; /* "--rebuild" */
	const char *help; /* lines for --help, each with its line feed */
	void *self;       /* handed to the functions below */
	/* The arguments behind the name. INVALID is bad usage. Before the configuration is read. */
	enum err_code (*parse)(void *self, int argc, char **argv, struct err *e);
	/* With the configuration and the log, no thread started, signals as they were: one of them
	 * ends the process. Returns the exit code. */
	int (*run)(void *self, const struct conf *c);
};

struct daemon_spec {
	const char *name; /* "ingestd" */
	enum conf_daemon id;
	void *self; /* handed to the functions below */
	/* Start threads and servers. `c` outlives stop(). After a failure stop() is not called. */
	enum err_code (*start)(void *self, const struct conf *c, struct err *e);
	/* Readiness turns false; go on serving. */
	void (*unready)(void *self);
	/* Let what is in flight end, at most timeout_ms; then end everything and free it. */
	void (*stop)(void *self, int64_t timeout_ms);
	/* A further argument ("--generate-secrets"): true when handled, with *exit_code set. May be
	 * NULL. It is asked before the configuration is read, with libsodium ready. */
	bool (*argument)(const char *arg, int *exit_code);
	const char *argument_help; /* lines for --help about it, each with its line feed; or NULL */
	const struct daemon_command *const *commands; /* up to a NULL; or NULL */
};

/* SIGTERM or SIGINT: unready, DRAIN_GRACE_MS, stop. A second one during that ends at once with 1. */
int daemon_run(const struct daemon_spec *d, int argc, char **argv);

/* One of them has come while start() is still at work: a start that waits for something should give
 * up and fail; the exit is a clean one then. */
bool daemon_is_asked_to_end(void);

#endif

#include "common/run/daemon.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/version.h"
#include "common/run/daemon_arg.h"
#include "common/run/sdnotify.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { WARNING_BYTES = 4096 };

/* ---- the process ---- */

/* Libraries of our libraries bring GnuTLS along, which nothing here uses. Before it sets itself up as it
 * is loaded, which costs each daemon 0.8 MiB, it asks the program by this name whether not to. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int _gnutls_global_init_skip(void);

int
_gnutls_global_init_skip(void)
{
	return 1;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* What sigwait takes. */
static sigset_t
signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	return set;
}

/* Before the first thread, so that each inherits it. */
static void
block_signals(void)
{
	const sigset_t set = signals();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A peer that closed its end is an error of write, not the end of the process. */
	(void)signal(SIGPIPE, SIG_IGN);
}

#ifdef __SANITIZE_ADDRESS__
/* The leak check at the end traces its own process. */
static void
show_memory(void)
{
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
#endif

/* Keys and tokens in memory must reach neither a core file nor another process of this user. The
 * kernel lets root alone read what is not dumpable, the environment included. */
static void
hide_memory(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#ifdef __SANITIZE_ADDRESS__
	(void)atexit(show_memory);
#endif
}

static void
log_start(const struct daemon_spec *d, const struct conf *c)
{
	struct log_opts o = { .daemon = d->name, .level = LOG_INFO };

	(void)log_level_parse(str_of(c->log_level), &o.level);
	o.json = strcmp(c->log_format, "json") == 0;
	log_init(&o);
}

static void
log_warnings(const struct conf *c)
{
	AUTO_RELEASE(buf_release) struct buf warnings = BUF(WARNING_BYTES);
	struct str rest, line;

	conf_warnings(c, &warnings);
	for (rest = buf_str(&warnings); rest.n > 0;) {
		line = str_cut(rest, '\n', &rest);
		log_warn("daemon.config", "%.*s", STR_ARG(line));
	}
	if (geteuid() == 0)
		log_warn("daemon.root", "running as root: a user of its own is enough");
}

/* ---- signals ---- */

static bool
is_end(int sig)
{
	return sig == SIGTERM || sig == SIGINT;
}

static void
log_ignored(int sig)
{
	log_info("daemon.signal_ignored", "%s: the configuration is read at start only",
	    sigabbrev_np(sig));
}

/* Wait for SIGTERM or SIGINT. Tells systemd's watchdog twice in its interval that we are there. */
static int
wait_for_end(void)
{
	const sigset_t set = signals();
	int64_t half_us = sdnotify_watchdog_us() / 2;
	const struct timespec pause = { half_us / 1000000, half_us % 1000000 * 1000 };

	for (;;) {
		int sig = sigtimedwait(&set, NULL, half_us > 0 ? &pause : NULL);

		if (is_end(sig))
			return sig;
		if (sig > 0)
			log_ignored(sig);
		else if (errno == EAGAIN)
			sdnotify("WATCHDOG=1");
	}
}

bool
daemon_is_asked_to_end(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0
	    && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* A thread: the second SIGTERM or SIGINT ends the process, however long stop() would take. */
static void *
end_at_second(void *unused)
{
	int sig = wait_for_end();

	(void)unused;
	log_warn("daemon.killed", "a second signal (%s): stopping at once", sigabbrev_np(sig));
	_exit(DAEMON_EXIT_FAILED);
}

/* It is never joined: it waits until the process ends. */
static void
watch_for_second(void)
{
	pthread_t watcher;

	if (pthread_create(&watcher, NULL, end_at_second, NULL) == 0)
		(void)pthread_detach(watcher);
}

static void
stop_in_order(const struct daemon_spec *d, const struct conf *c)
{
	sdnotify("STOPPING=1");
	d->unready(d->self);
	clock_sleep_ms(c->drain_grace_ms);
	d->stop(d->self, c->drain_timeout_ms);
}

static int
serve(const struct daemon_spec *d, const struct conf *c)
{
	struct err e;

	block_signals();
	log_start(d, c);
	log_warnings(c);
	if (d->start(d->self, c, &e) != ERR_OK) {
		if (daemon_is_asked_to_end()) {
			log_info("daemon.stopped", "while starting: %s", e.msg);
			return DAEMON_EXIT_OK;
		}
		log_err(LOG_ERROR, "daemon.start_failed", &e);
		return DAEMON_EXIT_FAILED;
	}
	log_info("daemon.started", "version %s, %s, port %d, ops port %d", version_text(),
	    c->dialpad_env, conf_port(c, d->id), conf_ops_port(c));
	sdnotify("READY=1");
	log_info("daemon.stopping", "%s", sigabbrev_np(wait_for_end()));
	watch_for_second();
	stop_in_order(d, c);
	log_info("daemon.stopped", "version %s", version_text());
	return DAEMON_EXIT_OK;
}

/* NULL: it is none. */
static const struct daemon_command *
find_command(const struct daemon_spec *d, int argc, char **argv)
{
	for (int i = 0; argc >= 2 && d->commands != NULL && d->commands[i] != NULL; i++)
		if (str_eq(str_of(argv[1]), str_of(d->commands[i]->name)))
			return d->commands[i];
	return NULL;
}

static int
run_command(
    const struct daemon_spec *d, const struct daemon_command *command, int argc, char **argv)
{
	struct conf c;
	struct err e;
	int exit_code;

	if (command->parse(command->self, argc - 2, argv + 2, &e) != ERR_OK) {
		(void)fprintf(
		    stderr, "%s %s: %s\n\n%s", d->name, command->name, e.msg, command->help);
		return DAEMON_EXIT_USAGE;
	}
	if (!daemon_load_conf(d, &c))
		return DAEMON_EXIT_CONFIG;
	log_start(d, &c);
	exit_code = command->run(command->self, &c);
	conf_release(&c);
	return exit_code;
}

int
daemon_run(const struct daemon_spec *d, int argc, char **argv)
{
	const struct daemon_command *command;
	struct conf c;
	int exit_code;

	if (sodium_init() < 0) {
		(void)fprintf(stderr, "%s: libsodium cannot be used\n", d->name);
		return DAEMON_EXIT_FAILED;
	}
	hide_memory();
	command = find_command(d, argc, argv);
	if (command != NULL)
		return run_command(d, command, argc, argv);
	if (daemon_arg(d, argc, argv, &exit_code))
		return exit_code;
	if (!daemon_load_conf(d, &c))
		return DAEMON_EXIT_CONFIG;
	exit_code = serve(d, &c);
	conf_release(&c);
	return exit_code;
}

#include "common/run/daemon_arg.h"

#include "common/base/own.h"
#include "common/base/version.h"

#include <stdio.h>
#include <unistd.h>

enum { TEXT_BYTES = 256 * 1024 };

bool
daemon_load_conf(const struct daemon_spec *d, struct conf *c)
{
	AUTO_RELEASE(buf_release) struct buf faults = BUF(TEXT_BYTES);
	struct err e;

	if (conf_load(c, d->id, environ, &faults, &e) == ERR_OK)
		return true;
	(void)fprintf(stderr, "%s: %s\n%s", d->name, e.msg, buf_c(&faults));
	return false;
}

static int
check_config(const struct daemon_spec *d)
{
	AUTO_RELEASE(buf_release) struct buf warnings = BUF(TEXT_BYTES);
	struct conf c;

	if (!daemon_load_conf(d, &c))
		return DAEMON_EXIT_CONFIG;
	conf_warnings(&c, &warnings);
	(void)fputs(buf_c(&warnings), stderr);
	(void)fputs("The configuration is valid.\n", stdout);
	conf_release(&c);
	return DAEMON_EXIT_OK;
}

static int
help_config(const struct daemon_spec *d)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(TEXT_BYTES);

	conf_help(d->id, &text);
	(void)fputs(buf_c(&text), stdout);
	return DAEMON_EXIT_OK;
}

static int
show_version(const struct daemon_spec *d)
{
	(void)fprintf(stdout, "%s %s\n", d->name, version_text());
	return DAEMON_EXIT_OK;
}

static void usage(const struct daemon_spec *d, FILE *to);

static int
help(const struct daemon_spec *d)
{
	usage(d, stdout);
	return DAEMON_EXIT_OK;
}

static const struct {
	const char *name;
	int (*answer)(const struct daemon_spec *d);
	const char *help;
} arguments[] = {
	{ "--help", help, "this text" },
	{ "--help-config", help_config, "the environment variables it reads" },
	{ "--check-config", check_config, "list every fault of the configuration: exit 0 or 78" },
	{ "--version", show_version, "the version of this build" },
};

enum { NARGUMENTS = sizeof arguments / sizeof *arguments };

static void
usage(const struct daemon_spec *d, FILE *to)
{
	(void)fprintf(to,
	    "Usage: %s [argument]\n\nWithout an argument it serves, in the foreground.\n\n",
	    d->name);
	for (size_t i = 0; i < NARGUMENTS; i++)
		(void)fprintf(to, "  %-20s %s\n", arguments[i].name, arguments[i].help);
	if (d->argument_help != NULL)
		(void)fputs(d->argument_help, to);
}

bool
daemon_arg(const struct daemon_spec *d, int argc, char **argv, int *exit_code)
{
	if (argc < 2)
		return false;
	for (size_t i = 0; argc == 2 && i < NARGUMENTS; i++) {
		if (str_eq(str_of(argv[1]), str_of(arguments[i].name))) {
			*exit_code = arguments[i].answer(d);
			return true;
		}
	}
	if (argc == 2 && d->argument != NULL && d->argument(argv[1], exit_code))
		return true;
	usage(d, stderr);
	*exit_code = DAEMON_EXIT_USAGE;
	return true;
}

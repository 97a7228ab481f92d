#include "apid/apid.h"
#include "apid/routes.h"
#include "apid/secrets.h"
#include "common/run/daemon.h"

#include <stdio.h>

/* The source of docs/configuration.md. */
static bool
print_configuration(void)
{
	AUTO_RELEASE(buf_release) struct buf page = BUF(1 << 20);

	conf_markdown(&page);
	return !page.failed && fputs(buf_c(&page), stdout) >= 0 && fflush(stdout) == 0;
}

/* One line each: method, path, who may call it. */
static bool
print_routes(void)
{
	static const char *const callers[] = {
		[HTTP_AUTH_NONE] = "anybody",
		[HTTP_AUTH_VISITOR] = "visitor",
		[HTTP_AUTH_APP] = "app",
		[HTTP_AUTH_ADMIN] = "admin",
	};

	for (int i = 0; i < apid_nroutes; i++) {
		const struct http_route *r = &apid_routes[i];

		if (printf("%s %s %s\n", r->method, r->path, callers[r->auth]) < 0)
			return false;
	}
	return fflush(stdout) == 0;
}

static bool
handle_argument(const char *arg, int *exit_code)
{
	bool ok;

	if (strcmp(arg, "--generate-secrets") == 0)
		ok = secrets_print(stdout);
	else if (strcmp(arg, "--config-markdown") == 0)
		ok = print_configuration();
	else if (strcmp(arg, "--routes") == 0)
		ok = print_routes();
	else
		return false;
	*exit_code = ok ? 0 : 1;
	return true;
}

int
main(int argc, char **argv)
{
	static struct apid apid;
	static const struct daemon_spec spec = {
		.name = "apid",
		.id = CONF_APID,
		.self = &apid,
		.start = apid_start,
		.unready = apid_unready,
		.stop = apid_stop,
		.argument = handle_argument,
		.argument_help =
		    "  --generate-secrets  print fresh secrets as NAME=value lines\n"
		    "  --routes            print the routes and who may call each\n"
		    "  --config-markdown   print the options of all daemons as a page\n",
	};

	return daemon_run(&spec, argc, argv);
}

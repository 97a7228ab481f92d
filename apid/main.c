#include "apid/apid.h"
#include "apid/secrets.h"
#include "common/run/daemon.h"

static bool
handle_argument(const char *arg, int *exit_code)
{
	if (strcmp(arg, "--generate-secrets") != 0)
		return false;
	*exit_code = secrets_print(stdout) ? 0 : 1;
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
		.argument_help = "  --generate-secrets  print fresh secrets as NAME=value lines\n",
	};

	return daemon_run(&spec, argc, argv);
}

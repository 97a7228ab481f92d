#include "common/run/daemon.h"
#include "workerd/dialpad/reseal.h"
#include "workerd/rebuild/rebuild.h"
#include "workerd/workerd.h"

int
main(int argc, char **argv)
{
	static struct workerd workerd;
	static const struct daemon_command *const commands[] = {
		&workerd_run_job,
		&rebuild_command,
		&reseal_command,
		NULL,
	};
	static const struct daemon_spec spec = {
		.name = "workerd",
		.id = CONF_WORKERD,
		.self = &workerd,
		.start = workerd_start,
		.unready = workerd_unready,
		.stop = workerd_stop,
		.commands = commands,
	};

	return daemon_run(&spec, argc, argv);
}

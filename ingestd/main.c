#include "common/run/daemon.h"
#include "ingestd/ingestd.h"

int
main(int argc, char **argv)
{
	static struct ingestd ingestd;
	static const struct daemon_spec spec = {
		.name = "ingestd",
		.id = CONF_INGESTD,
		.self = &ingestd,
		.start = ingestd_start,
		.unready = ingestd_unready,
		.stop = ingestd_stop,
	};

	return daemon_run(&spec, argc, argv);
}

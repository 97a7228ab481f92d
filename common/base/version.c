#include "common/base/version.h"

#ifndef CTI_VERSION
#define CTI_VERSION "unknown"
#endif

const char *
version_text(void)
{
	return CTI_VERSION;
}

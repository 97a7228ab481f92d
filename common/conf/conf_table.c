#include "common/conf/conf_table.h"

const struct conf_row conf_rows[] = {
#define CONF(type, member, env, dflt, lo, hi, flags, daemons, doc) \
	{ CONF_TYPE_##type, offsetof(struct conf, member), env, dflt, lo, hi, flags, daemons, doc },
#include "common/conf/conf.def"
#undef CONF
};

const size_t conf_nrows = sizeof conf_rows / sizeof *conf_rows;

static const struct {
	const char *env;
	const char *values[CONF_MAX_CHOICES + 1];
} choices[] = {
	{ "DIALPAD_ENV", { "sandbox", "production" } },
	{ "LOG_LEVEL", { "debug", "info", "warn", "error" } },
	{ "LOG_FORMAT", { "json", "text" } },
	{ "DB_PREPARE", { "named", "unnamed" } },
	{ "SINGLE_TENANT", { "auto", "false" } },
};

const char *const *
conf_choices(const struct conf_row *r)
{
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		if (strcmp(choices[i].env, r->env) == 0)
			return choices[i].values;
	return NULL;
}

size_t
conf_min_bytes(const struct conf_row *r)
{
	return r->flags & CONF_KEY32 ? 32 : r->flags & CONF_KEY16 ? 16 : 0;
}

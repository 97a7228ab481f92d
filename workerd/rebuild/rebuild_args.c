#include "workerd/rebuild/rebuild_args.h"

#include "common/base/clock.h"

static const int64_t YEAR_10000_MS = 253402300800000;

static enum err_code
read_app(struct str value, struct rebuild_opts *o, struct err *e)
{
	if (!uuid_parse(value, &o->app_id))
		return err_set(e, ERR_INVALID, "--app: \"%.*s\" is no app's id", STR_ARG(value));
	if (uuid_eq(o->app_id, UUID_NIL))
		return err_set(e, ERR_INVALID, "--app: unclaimed events have no records");
	return ERR_OK;
}

static enum err_code
read_from(struct str value, struct rebuild_opts *o, struct err *e)
{
	return clock_parse_rfc3339(value, &o->from)
	    ? ERR_OK
	    : err_set(e, ERR_INVALID, "--from: \"%.*s\" is no RFC 3339 time", STR_ARG(value));
}

static enum err_code
read_to(struct str value, struct rebuild_opts *o, struct err *e)
{
	return clock_parse_rfc3339(value, &o->to)
	    ? ERR_OK
	    : err_set(e, ERR_INVALID, "--to: \"%.*s\" is no RFC 3339 time", STR_ARG(value));
}

static enum err_code
read_dry_run(struct str none, struct rebuild_opts *o, struct err *e)
{
	(void)none;
	(void)e;
	o->dry_run = true;
	return ERR_OK;
}

static const struct argument {
	const char *name;
	bool has_value;
	enum err_code (*read)(struct str value, struct rebuild_opts *o, struct err *e);
} arguments[] = {
	{ "--app", true, read_app },
	{ "--from", true, read_from },
	{ "--to", true, read_to },
	{ "--dry-run", false, read_dry_run },
};

enum { NARGUMENTS = sizeof arguments / sizeof arguments[0] };

static const struct argument *
find(const char *name)
{
	for (size_t i = 0; i < NARGUMENTS; i++)
		if (strcmp(arguments[i].name, name) == 0)
			return &arguments[i];
	return NULL;
}

static enum err_code
read_all(int argc, char **argv, struct rebuild_opts *o, struct err *e)
{
	bool seen[NARGUMENTS] = { false };
	enum err_code rc = ERR_OK;

	for (int i = 0; i < argc && rc == ERR_OK; i++) {
		const struct argument *arg = find(argv[i]);
		struct str value = STR_NONE;

		if (arg == NULL)
			return err_set(e, ERR_INVALID, "\"%s\" is unknown", argv[i]);
		if (seen[arg - arguments])
			return err_set(e, ERR_INVALID, "%s is given twice", arg->name);
		seen[arg - arguments] = true;
		if (arg->has_value && i + 1 == argc)
			return err_set(e, ERR_INVALID, "%s needs a value", arg->name);
		if (arg->has_value)
			value = str_of(argv[++i]);
		rc = arg->read(value, o, e);
	}
	return rc;
}

enum err_code
rebuild_args_parse(int argc, char **argv, struct rebuild_opts *out, struct err *e)
{
	struct rebuild_opts o = { .app_id = UUID_NIL, .to = YEAR_10000_MS };
	enum err_code rc = read_all(argc, argv, &o, e);

	if (rc != ERR_OK)
		return rc;
	if (uuid_eq(o.app_id, UUID_NIL))
		return err_set(e, ERR_INVALID, "--app is missing");
	if (o.from >= o.to)
		return err_set(e, ERR_INVALID, "--from must be before --to");
	*out = o;
	return ERR_OK;
}

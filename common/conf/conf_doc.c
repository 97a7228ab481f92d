#include "common/conf/conf_table.h"

static const struct {
	enum conf_daemon id;
	const char *name;
} daemons[] = {
	{ CONF_INGESTD, "ingestd" },
	{ CONF_WORKERD, "workerd" },
	{ CONF_APID, "apid" },
};

enum { NDAEMONS = sizeof daemons / sizeof *daemons };

static void
add_daemons(struct buf *out, unsigned mask)
{
	const char *separator = "";

	if (mask == CONF_ALL) {
		buf_add_c(out, "all");
		return;
	}
	for (size_t i = 0; i < NDAEMONS; i++) {
		if ((mask & (unsigned)daemons[i].id) == 0)
			continue;
		buf_add_fmt(out, "%s%s", separator, daemons[i].name);
		separator = ", ";
	}
}

/* The unit that the variable's name ends in; "" for plain numbers. */
static const char *
unit_of(const char *env)
{
	static const struct {
		const char *tail, *unit;
	} units[] = { { "_MS", " ms" }, { "_BYTES", " bytes" }, { "_HOURS", " hours" } };
	size_t n = strlen(env), tail;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		tail = strlen(units[i].tail);
		if (n > tail && strcmp(env + n - tail, units[i].tail) == 0)
			return units[i].unit;
	}
	return "";
}

static void
add_text_type(struct buf *out, const struct conf_row *r)
{
	const char *const *choice = conf_choices(r);

	if (r->flags & CONF_SECRET)
		buf_add_c(out, "secret");
	else if (choice == NULL)
		buf_add_c(out, "text");
	for (int i = 0; choice != NULL && choice[i] != NULL; i++)
		buf_add_fmt(out, "%s%s", i == 0 ? "" : ", ", choice[i]);
	if (conf_min_bytes(r) > 0)
		buf_add_fmt(out, ", %zu bytes or more", conf_min_bytes(r));
}

static void
add_type(struct buf *out, const struct conf_row *r)
{
	switch (r->type) {
	case CONF_TYPE_STR: add_text_type(out, r); break;
	case CONF_TYPE_INT:
		buf_add_fmt(
		    out, "%lld to %lld%s", (long long)r->min, (long long)r->max, unit_of(r->env));
		break;
	case CONF_TYPE_BOOL: buf_add_c(out, "true, false"); break;
	}
}

/* What stands in the column "Required". */
static const char *
required(const struct conf_row *r)
{
	return r->flags & CONF_REQUIRED ? " yes" : r->flags & CONF_PROD ? " in production" : "";
}

static void
add_help_row(struct buf *out, const struct conf_row *r)
{
	buf_add_fmt(out, "\n  %s (", r->env);
	add_type(out, r);
	if (r->dflt[0] != '\0')
		buf_add_fmt(out, "; default %s", r->dflt);
	if (r->flags & CONF_REQUIRED)
		buf_add_c(out, "; required");
	else if (r->flags & CONF_PROD)
		buf_add_c(out, "; required in production");
	buf_add_fmt(out, ")\n      %s\n", r->doc);
}

void
conf_help(enum conf_daemon daemon, struct buf *out)
{
	buf_add_c(out,
	    "Environment variables. Each NAME can be given as NAME_FILE instead: the path of a\n"
	    "file that contains the value.\n");
	for (size_t i = 0; i < conf_nrows; i++)
		if (conf_rows[i].daemons & (unsigned)daemon)
			add_help_row(out, &conf_rows[i]);
}

static void
add_markdown_row(struct buf *out, const struct conf_row *r)
{
	buf_add_fmt(out, "| `%s` | ", r->env);
	add_daemons(out, r->daemons);
	buf_add_c(out, " | ");
	add_type(out, r);
	buf_add_c(out, " |");
	if (r->dflt[0] != '\0')
		buf_add_fmt(out, " `%s`", r->dflt);
	buf_add_fmt(out, " |%s | %s |\n", required(r), r->doc);
}

void
conf_markdown(struct buf *out)
{
	buf_add_c(out,
	    "# Configuration\n"
	    "\n"
	    "Every option is an environment variable. Each `NAME` can be given as `NAME_FILE` "
	    "instead:\n"
	    "the path of a file whose content, without outer white space, is the value. An empty "
	    "value\n"
	    "counts as unset, except for a secret, where it is a fault. A daemon with faults lists "
	    "them\n"
	    "all and exits with 78; `--check-config` does only that. Secrets are used as given: "
	    "quotes\n"
	    "around them belong to them.\n"
	    "\n"
	    "This page is generated from `common/conf/conf.def`.\n"
	    "\n"
	    "| Variable | Daemons | Value | Default | Required | Meaning |\n"
	    "|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < conf_nrows; i++)
		add_markdown_row(out, &conf_rows[i]);
}

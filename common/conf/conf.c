#include "common/conf/conf.h"

#include "common/base/log.h"
#include "common/base/origin.h"
#include "common/base/own.h"
#include "common/conf/conf_dialpad.h"
#include "common/conf/conf_labelled.h"
#include "common/conf/conf_table.h"
#include "common/conf/conf_value.h"

#include <stdarg.h>
#include <stdio.h>

enum { OPS_PORT_DISTANCE = 100, MAX_PORT = 65535, WEBHOOK_SECRET_BYTES = 16, FAULT_BYTES = 400 };

struct loader {
	struct conf c;
	enum conf_daemon daemon;
	char *const *env;
	struct buf *faults;
	int nfaults;
};

static void CTI_PRINTF(2, 3) fault(struct loader *l, const char *fmt, ...)
{
	char line[FAULT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	buf_add_c(l->faults, line);
	buf_add_char(l->faults, '\n');
	l->nfaults++;
}

/* ---- one option ---- */

static void *
member(struct conf *c, const struct conf_row *r)
{
	return (char *)c + r->offset;
}

static bool
bool_parse(struct str s, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "true", true },
		{ "yes", true },
		{ "1", true },
		{ "false", false },
		{ "no", false },
		{ "0", false },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (str_eq_nocase(s, str_of(words[i].word))) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}

static void
set_int(struct loader *l, const struct conf_row *r, struct str text)
{
	if (!str_to_i64(text, r->min, r->max, member(&l->c, r)))
		fault(l, "%s: \"%.40s\" is not a whole number from %lld to %lld", r->env, text.p,
		    (long long)r->min, (long long)r->max);
}

static void
set_bool(struct loader *l, const struct conf_row *r, struct str text)
{
	if (!bool_parse(text, member(&l->c, r)))
		fault(l, "%s: \"%.40s\" is neither true nor false", r->env, text.p);
}

static void
check_choice(struct loader *l, const struct conf_row *r, struct str text)
{
	AUTO_RELEASE(buf_release) struct buf list = BUF(FAULT_BYTES);
	const char *const *v = conf_choices(r);

	if (v == NULL)
		return;
	for (; *v != NULL; v++) {
		if (str_eq(text, str_of(*v)))
			return;
		buf_add_fmt(&list, " %s", *v);
	}
	fault(l, "%s: \"%.40s\" is none of:%s", r->env, text.p, buf_c(&list));
}

static void
set_str(struct loader *l, const struct conf_row *r, struct str text)
{
	*(conf_STR *)member(&l->c, r) = text.p;
	check_choice(l, r, text);
	if (text.n < conf_min_bytes(r))
		fault(l, "%s is %zu bytes long: it must have %zu or more", r->env, text.n,
		    conf_min_bytes(r));
}

/* `text` is NUL-terminated and stays as long as the configuration. */
static void
set_value(struct loader *l, const struct conf_row *r, struct str text)
{
	switch (r->type) {
	case CONF_TYPE_STR: set_str(l, r, text); break;
	case CONF_TYPE_INT: set_int(l, r, text); break;
	case CONF_TYPE_BOOL: set_bool(l, r, text); break;
	}
}

static void
set_default(struct loader *l, const struct conf_row *r)
{
	if (r->type == CONF_TYPE_STR)
		*(conf_STR *)member(&l->c, r) = r->dflt;
	else if (r->dflt[0] != '\0')
		set_value(l, r, str_of(r->dflt));
}

static void
read_row(struct loader *l, const struct conf_row *r)
{
	bool secret = (r->flags & CONF_SECRET) != 0;
	struct str text;
	struct err e;

	set_default(l, r);
	if ((r->daemons & (unsigned)l->daemon) == 0)
		return;
	if (conf_value_read(l->env, r->env, secret, &l->c.owned, &text, &e) != ERR_OK) {
		fault(l, "%s", e.msg);
		return;
	}
	if (text.n == 0)
		return;
	if (secret)
		log_register_secret(text);
	set_value(l, r, text);
}

/* ---- rules over several options ---- */

/* NODE_ENV is what the hosting of Node services sets; only DIALPAD_ENV overrides it. */
static void
resolve_environment(struct conf *c, char *const *env)
{
	if (c->dialpad_env[0] == '\0')
		c->dialpad_env = str_eq(conf_env(env, "NODE_ENV", ""), STR("production"))
		    ? "production"
		    : "sandbox";
	c->production = strcmp(c->dialpad_env, "production") == 0;
}

static bool
is_given(const struct loader *l, const char *name)
{
	return str_trim(conf_env(l->env, name, "")).n > 0
	    || str_trim(conf_env(l->env, name, "_FILE")).n > 0;
}

/* A variable that is present at all, even empty, is not missing: it has a fault of its own. */
static bool
is_missing(const struct loader *l, const struct conf_row *r)
{
	return (r->daemons & (unsigned)l->daemon) != 0 && conf_env(l->env, r->env, "").p == NULL
	    && !is_given(l, r->env);
}

static void
check_required(struct loader *l)
{
	const struct conf_row *r;

	for (r = conf_rows; r < conf_rows + conf_nrows; r++) {
		if (!is_missing(l, r))
			continue;
		if (r->flags & CONF_REQUIRED)
			fault(l, "%s is missing: %s", r->env, r->doc);
		else if ((r->flags & CONF_PROD) && l->c.production)
			fault(l, "%s is missing, and required in production: %s", r->env, r->doc);
	}
	if (!is_given(l, "DATABASE_URL") && !is_given(l, "DB_HOST"))
		fault(l, "DATABASE_URL is missing, and so is DB_HOST: one of them is needed");
}

/* The row of the daemon's own port variable. */
static const struct conf_row *
port_row(enum conf_daemon daemon)
{
	const char *name = daemon == CONF_INGESTD ? "INGESTD_PORT"
	    : daemon == CONF_WORKERD              ? "WORKERD_PORT"
						  : "APID_PORT";
	const struct conf_row *r = conf_rows;

	while (strcmp(r->env, name) != 0)
		r++;
	return r;
}

static void
resolve_ports(struct loader *l)
{
	const struct conf_row *row = port_row(l->daemon);
	conf_INT *own = member(&l->c, row);

	if (l->c.port != 0 && !is_given(l, row->env))
		*own = l->c.port;
	l->c.port = *own;
	if (l->c.ops_port == 0)
		l->c.ops_port = *own + OPS_PORT_DISTANCE;
	if (l->c.ops_port > MAX_PORT)
		fault(l, "OPS_PORT is missing: its default, the port + %d, is beyond %d",
		    OPS_PORT_DISTANCE, MAX_PORT);
	if (l->c.ops_port == *own)
		fault(l, "OPS_PORT: %lld is the daemon's own port too", (long long)*own);
}

/* A request of ingestd's mostly waits for its commit: more of them share one. */
static void
resolve_threads(struct loader *l)
{
	if (l->c.http_threads == 0)
		l->c.http_threads = l->daemon == CONF_INGESTD ? 64 : 32;
}

/* The URL is not repeated: that of a receiver of alarms may hold a password or a token. */
static void
check_public_url(struct loader *l, const char *name, const char *url)
{
	bool https = str_starts_nocase(str_of(url), STR("https://"));

	if (url[0] == '\0' || https)
		return;
	if (!str_starts_nocase(str_of(url), STR("http://")))
		fault(l, "%s: it begins neither with https:// nor with http://", name);
	else if (l->c.production)
		fault(l, "%s: it must begin with https:// in production", name);
}

/* Browsers come back from Dialpad to the redirect URI, so its origin is apid's. */
static void
default_public_api_url(struct loader *l)
{
	char local[sizeof "http://127.0.0.1:" + 20];
	struct str origin = conf_origin(str_of(l->c.dialpad.redirect_uri));

	if (l->daemon != CONF_APID) {
		l->c.public_api_url = arena_cstr(&l->c.owned, origin);
		return;
	}
	(void)snprintf(local, sizeof local, "http://127.0.0.1:%d", conf_port(&l->c, CONF_APID));
	if (origin.p == NULL && l->c.production)
		fault(l,
		    "PUBLIC_API_URL is missing, and required in production: the https URL under "
		    "which clients reach apid");
	l->c.public_api_url = arena_cstr(&l->c.owned, origin.p == NULL ? str_of(local) : origin);
}

static void
resolve_urls(struct loader *l)
{
	check_public_url(l, "PUBLIC_API_URL", l->c.public_api_url);
	check_public_url(l, "PUBLIC_INGEST_URL", l->c.public_ingest_url);
	if (l->c.public_api_url[0] == '\0')
		default_public_api_url(l);
	if (l->c.public_ingest_url[0] == '\0')
		l->c.public_ingest_url = l->c.public_api_url;
}

static void
check_alerts(struct loader *l)
{
	check_public_url(l, "ALERT_WEBHOOK_URL", l->c.alert_url);
	if (l->daemon == CONF_WORKERD && l->c.alert_url[0] != '\0' && l->c.alert_secret[0] == '\0')
		fault(l,
		    "ALERT_WEBHOOK_SECRET is missing: what goes to ALERT_WEBHOOK_URL is "
		    "signed with it");
}

/* Whole secrets were registered for the log already; each of these is one, too. */
static void
check_labelled(struct loader *l)
{
	struct str list = str_of(l->c.internal_secrets), label, secret;
	struct err e;

	if (conf_labelled_check("INTERNAL_API_SECRETS", list, &e) != ERR_OK)
		fault(l, "%s", e.msg);
	while (conf_labelled_next(&list, &label, &secret))
		log_register_secret(secret);
}

static void
check_origins(struct loader *l)
{
	struct str list = str_of(l->c.cors_allowed_origins), item;

	for (;;) {
		item = origin_next(&list);
		if (item.n == 0)
			return;
		if (!str_eq(item, STR("*")) && !origin_is_valid(item))
			fault(l,
			    "CORS_ALLOWED_ORIGINS: \"%.*s\" is neither * nor an origin like "
			    "https://app.example, without a path",
			    STR_ARG(item));
	}
}

static void
check_internal_port(struct loader *l)
{
	if (l->c.internal_port != 0
	    && (l->c.internal_port == l->c.port || l->c.internal_port == l->c.ops_port))
		fault(l, "INTERNAL_PORT: %lld is another port of apid's",
		    (long long)l->c.internal_port);
}

enum err_code
conf_load(
    struct conf *c, enum conf_daemon daemon, char *const *env, struct buf *faults, struct err *e)
{
	struct loader l = { .daemon = daemon, .env = env, .faults = faults };

	arena_init(&l.c.owned);
	for (size_t i = 0; i < conf_nrows; i++)
		read_row(&l, &conf_rows[i]);
	resolve_environment(&l.c, env);
	check_required(&l);
	resolve_ports(&l);
	resolve_threads(&l);
	l.nfaults += conf_dialpad_resolve(&l.c, daemon, faults);
	resolve_urls(&l);
	check_alerts(&l);
	check_labelled(&l);
	check_origins(&l);
	check_internal_port(&l);
	if (l.nfaults > 0) {
		conf_release(&l.c);
		return err_set(e, ERR_INVALID, "%d fault(s) in the configuration", l.nfaults);
	}
	*c = l.c;
	return ERR_OK;
}

void
conf_release(struct conf *c)
{
	arena_release(&c->owned);
}

void
conf_warnings(const struct conf *c, struct buf *out)
{
	size_t n = strlen(c->webhook_secret);

	if (n > 0 && n < WEBHOOK_SECRET_BYTES)
		buf_add_fmt(out, "DIALPAD_WEBHOOK_SECRET is %zu bytes long: %d or more are safer\n",
		    n, WEBHOOK_SECRET_BYTES);
	conf_dialpad_warnings(c, out);
}

int
conf_port(const struct conf *c, enum conf_daemon daemon)
{
	return (int)*(const conf_INT *)((const char *)c + port_row(daemon)->offset);
}

int
conf_ops_port(const struct conf *c)
{
	return (int)c->ops_port;
}

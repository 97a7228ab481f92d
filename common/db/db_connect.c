/*
 * Opening a session before a deadline. libpq's own connect_timeout does not apply to connections
 * opened step by step, and a silent first host would use up all the time; so the hosts of a
 * connection string are tried one by one here, each with its share.
 */
#include "common/db/db_priv.h"

#include "common/base/clock.h"

#include <assert.h>
#include <poll.h>

OWN_DEFINE(pgconn, PGconn *, NULL, PQfinish)
OWN_DEFINE(conninfo, PQconninfoOption *, NULL, PQconninfoFree)

enum { MAX_KEYWORDS = 16 };

struct keywords {
	int n;
	const char *key[MAX_KEYWORDS + 1], *value[MAX_KEYWORDS + 1]; /* NULL-terminated */
};

static void
add(struct keywords *k, const char *key, const char *value)
{
	if (value == NULL || k->n == MAX_KEYWORDS)
		return;
	k->key[k->n] = key;
	k->value[k->n++] = value;
	k->key[k->n] = k->value[k->n] = NULL;
}

static enum err_code
parse_url(const char *url, PQconninfoOption **out, struct err *e)
{
	char *why = NULL;
	PQconninfoOption *info = PQconninfoParse(url, &why);

	PQfreemem(why); /* may quote the whole string, password included */
	if (info == NULL)
		return err_set(e, ERR_INVALID, "the database's connection string cannot be read");
	*out = info;
	return ERR_OK;
}

enum err_code
db_url_check(const char *url, struct err *e)
{
	AUTO(conninfo) PQconninfoOption *info = NULL;

	return parse_url(url, &info, e);
}

static struct str
option(const PQconninfoOption *info, const char *key)
{
	for (; info->keyword != NULL; info++) {
		if (strcmp(info->keyword, key) == 0)
			return str_of(info->val);
	}
	return STR_NONE;
}

static int
list_len(struct str list)
{
	int n = list.n == 0 ? 0 : 1;

	for (size_t i = 0; i < list.n; i++)
		n += list.p[i] == ',';
	return n;
}

/* The i-th of a list; a list of one is good for every i, as libpq has it for ports. */
static const char *
list_get(struct str list, int i, struct buf *b)
{
	struct str rest = list, item = STR_NONE;

	if (list.n == 0)
		return NULL;
	for (int k = list_len(list) == 1 ? 0 : i; k >= 0; k--)
		item = str_cut(rest, ',', &rest);
	buf_add_str(b, item);
	return buf_c(b);
}

/* Finish the handshake. */
static enum err_code
shake_hands(PGconn *pg, const db_give_up *give_up, int64_t deadline, struct err *e)
{
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	if (PQstatus(pg) == CONNECTION_BAD)
		return db_err_lost("connect", pg, e);
	while (want != PGRES_POLLING_OK) {
		short events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT;

		if (!db_wire_wait(PQsocket(pg), events, deadline, give_up))
			return err_set(e, ERR_UNAVAILABLE, "connect: no answer in time");
		want = PQconnectPoll(pg);
		if (want == PGRES_POLLING_FAILED)
			return db_err_lost("connect", pg, e);
	}
	return ERR_OK;
}

/* What stands before the connection string is a default, what stands behind it is forced. */
static void
add_settings(struct keywords *k, const struct db_opts *o)
{
	add(k, "application_name", o->app_name);
	add(k, "keepalives_idle", "30");
	add(k, "keepalives_interval", "10");
	add(k, "keepalives_count", "3");
	add(k, "tcp_user_timeout", "30000");
	/* Else libpq looks for a Kerberos ticket at each connection: a megabyte of libraries at work. */
	add(k, "gssencmode", "disable");
	add(k, "dbname", o->url);
	add(k, "client_encoding", "UTF8");
}

struct opening {
	const struct db_opts *o;
	const PQconninfoOption *info;
	PQnoticeReceiver on_notice;
	void *arg;
};

static enum err_code
open_one(const struct opening *t, const struct keywords *k, int64_t deadline, PGconn **out,
    struct err *e)
{
	AUTO(pgconn) PGconn *pg = PQconnectStartParams(k->key, k->value, 1);
	enum err_code rc;

	if (pg == NULL)
		abort(); /* out of memory */
	PQsetNoticeReceiver(pg, t->on_notice, t->arg);
	rc = shake_hands(pg, t->o->give_up, deadline, e);
	if (rc != ERR_OK)
		return rc;
	if (PQsetnonblocking(pg, 1) != 0)
		return db_err_lost("connect", pg, e);
	*out = TAKE(pg);
	return ERR_OK;
}

/* Restrict the connection string to its i-th host; the buffers keep the texts. */
static void
add_host(struct keywords *k, const PQconninfoOption *info, int i, struct buf text[3])
{
	add(k, "host", list_get(option(info, "host"), i, &text[0]));
	add(k, "hostaddr", list_get(option(info, "hostaddr"), i, &text[1]));
	add(k, "port", list_get(option(info, "port"), i, &text[2]));
}

static int
host_count(const PQconninfoOption *info)
{
	int names = list_len(option(info, "host")), addrs = list_len(option(info, "hostaddr"));

	return names > addrs ? names : addrs;
}

/* libpq's "prefer-standby" is two rounds over the hosts: standbys, then any. */
static bool
prefers_standby(const PQconninfoOption *info)
{
	return str_eq(option(info, "target_session_attrs"), STR("prefer-standby"));
}

/* The i-th try, when there are several hosts. */
static enum err_code
open_host(const struct opening *t, int i, int64_t deadline, PGconn **out, struct err *e)
{
	struct buf text[3] = { BUF(1024), BUF(1024), BUF(1024) };
	struct keywords k = { .n = 0 };
	int hosts = host_count(t->info);
	enum err_code rc;

	assert(hosts > 0);
	add_settings(&k, t->o);
	add_host(&k, t->info, i % hosts, text);
	if (prefers_standby(t->info))
		add(&k, "target_session_attrs", i < hosts ? "standby" : "any");
	rc = open_one(t, &k, deadline, out, e);
	for (int b = 0; b < 3; b++)
		buf_release(&text[b]);
	return rc;
}

static enum err_code
open_any_host(const struct opening *t, int64_t deadline, PGconn **out, struct err *e)
{
	int tries = host_count(t->info) * (prefers_standby(t->info) ? 2 : 1);
	enum err_code rc = ERR_UNAVAILABLE;

	for (int i = 0; i < tries && rc != ERR_OK; i++) {
		int64_t now = clock_mono_ms();

		rc = open_host(t, i, now + (deadline - now) / (tries - i), out, e);
	}
	return rc;
}

enum err_code
db_open_session(const struct db_opts *o, PQnoticeReceiver on_notice, void *arg, int64_t deadline,
    PGconn **out, struct err *e)
{
	AUTO(conninfo) PQconninfoOption *info = NULL;
	struct keywords k = { .n = 0 };
	struct opening t;
	enum err_code rc = parse_url(o->url, &info, e);

	if (rc != ERR_OK)
		return rc;
	t = (struct opening){ o, info, on_notice, arg };
	if (host_count(info) > 1)
		return open_any_host(&t, deadline, out, e);
	add_settings(&k, o);
	return open_one(&t, &k, deadline, out, e);
}

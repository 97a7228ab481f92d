#include "common/db/db_listen.h"
#include "common/db/db_priv.h"

#include "common/base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 5000 };

struct db_listen {
	struct db_listen_opts o;
	int nchannels;
	pthread_t thread;
	int stop; /* eventfd: readable once db_listen_stop was called */
	atomic_bool connected;
};

/* The channel goes into SQL as it is. */
static bool
is_plain(const char *name)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz_";

	return name[0] != '\0' && strlen(name) < 64 && strchr(LETTERS, name[0]) != NULL
	    && name[strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

/* True when stop was asked for within the time. */
static bool
wait_stop(const struct db_listen *l, int ms)
{
	struct pollfd p = { .fd = l->stop, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

static int
count_channels(const struct db_listen_opts *o)
{
	int n = 0;

	while (n < DB_LISTEN_CHANNELS && o->channels[n].name != NULL)
		n++;
	return n;
}

static enum err_code
subscribe(const struct db_listen *l, struct db_conn **out, struct err *e)
{
	AUTO(db_conn) struct db_conn *c = NULL;
	char sql[80];
	enum err_code rc = db_connect(&l->o.db, &c, e);

	for (int i = 0; rc == ERR_OK && i < l->nchannels; i++) {
		(void)snprintf(sql, sizeof(sql), "LISTEN %s", l->o.channels[i].name);
		rc = db_command(c, sql, e);
	}
	if (rc == ERR_OK)
		*out = TAKE(c);
	return rc;
}

static void
hint(const struct db_listen *l, unsigned channels)
{
	for (int i = 0; i < l->nchannels; i++) {
		if (channels & (1u << i))
			l->o.channels[i].on_hint(l->o.channels[i].arg);
	}
}

/* The channels that something was sent on, as bits: any number of notifications is one hint. */
static unsigned
drain(const struct db_listen *l, struct db_conn *c)
{
	unsigned channels = 0;
	PGnotify *n;

	while ((n = PQnotifies(c->pg)) != NULL) {
		for (int i = 0; i < l->nchannels; i++) {
			if (strcmp(n->relname, l->o.channels[i].name) == 0)
				channels |= 1u << i;
		}
		PQfreemem(n);
	}
	return channels;
}

/* Call back for each hint until asked to stop (ERR_OK) or until the connection is lost. */
static enum err_code
listen_until_stop(struct db_listen *l, struct db_conn *c, struct err *e)
{
	struct pollfd p[2] = {
		{ .fd = l->stop, .events = POLLIN },
		{ .fd = PQsocket(c->pg), .events = POLLIN },
	};

	hint(l, ~0u); /* what was sent while nobody listened is lost */
	for (;;) {
		/* Without a time limit: keepalives end a connection whose peer is gone. */
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_set(e, ERR_INTERNAL, "poll: errno %d", errno);
		if (p[0].revents != 0)
			return ERR_OK;
		if (p[1].revents == 0)
			continue;
		if (!PQconsumeInput(c->pg))
			return db_err_lost("listen", c->pg, e);
		hint(l, drain(l, c));
	}
}

static void *
run(void *arg)
{
	struct db_listen *l = arg;
	int delay = RETRY_MIN_MS;
	bool told = false; /* of the loss; the next line is about the return */

	do {
		AUTO(db_conn) struct db_conn *c = NULL;
		struct err e;

		if (subscribe(l, &c, &e) == ERR_OK) {
			atomic_store(&l->connected, true);
			log_info("db.listen.connected", "channels=%d", l->nchannels);
			delay = RETRY_MIN_MS;
			told = false;
			if (listen_until_stop(l, c, &e) == ERR_OK)
				break;
			atomic_store(&l->connected, false);
		}
		if (!told)
			log_err(LOG_WARN, "db.listen.lost", &e);
		told = true;
		if (wait_stop(l, delay + (int)arc4random_uniform((unsigned)delay / 4)))
			break;
		delay = delay * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : delay * 2;
	} while (true);
	atomic_store(&l->connected, false);
	return NULL;
}

enum err_code
db_listen_start(const struct db_listen_opts *o, struct db_listen **out, struct err *e)
{
	struct db_listen *l;
	enum err_code rc = db_url_check(o->db.url, e);

	if (rc != ERR_OK)
		return rc;
	for (int i = 0; i < count_channels(o); i++) {
		if (!is_plain(o->channels[i].name))
			return err_set(e, ERR_INVALID, "a channel's name is letters, digits and _");
	}
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	l->o = *o;
	l->nchannels = count_channels(o);
	l->stop = eventfd(0, EFD_CLOEXEC);
	if (l->stop >= 0 && pthread_create(&l->thread, NULL, run, l) == 0) {
		*out = l;
		return ERR_OK;
	}
	if (l->stop >= 0)
		close(l->stop);
	free(l);
	return err_set(e, ERR_UNAVAILABLE, "listen: no thread or file descriptor to be had");
}

bool
db_listen_connected(struct db_listen *l)
{
	return atomic_load(&l->connected);
}

void
db_listen_stop(struct db_listen *l)
{
	if (l == NULL)
		return;
	(void)eventfd_write(l->stop, 1);
	pthread_join(l->thread, NULL);
	close(l->stop);
	free(l);
}

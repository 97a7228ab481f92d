/* Sending and receiving without ever blocking past a deadline. */
#include "common/db/db_priv.h"

#include "common/base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>

/* How late a waiting thread may learn that it is to give up. */
enum { LOOK_MS = 100 };

bool
db_wire_wait(int fd, short events, int64_t deadline, const db_give_up *give_up)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t longest = give_up != NULL ? LOOK_MS : INT_MAX;

	for (;;) {
		int64_t end = give_up != NULL ? atomic_load(give_up) : 0;
		int64_t left = (end != 0 && end < deadline ? end : deadline) - clock_mono_ms();
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, (int)(left > longest ? longest : left));
		if (n > 0 || (n < 0 && errno != EINTR))
			return true; /* ready, or so broken that libpq will tell */
	}
}

int64_t
db_deadline(const struct db_conn *c)
{
	int64_t deadline = clock_mono_ms() + c->timeout_ms;

	return c->until != 0 && c->until < deadline ? c->until : deadline;
}

static enum err_code
lost(struct db_conn *c, const char *what, struct err *e)
{
	enum err_code rc = db_err_lost(what, c->pg, e);

	db_drop(c);
	return rc;
}

/* Both directions: neither side may wait for the other with full buffers. */
static enum err_code
exchange(struct db_conn *c, const char *what, int64_t deadline, int unsent, struct err *e)
{
	short events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0));

	if (unsent < 0)
		return lost(c, what, e);
	if (!db_wire_wait(PQsocket(c->pg), events, deadline, c->give_up)) {
		db_drop(c);
		return err_set(e, ERR_TIMEOUT, "%s: no answer in time", what);
	}
	return PQconsumeInput(c->pg) ? ERR_OK : lost(c, what, e);
}

enum err_code
db_wire_flush(struct db_conn *c, const char *what, int64_t deadline, struct err *e)
{
	enum err_code rc = ERR_OK;
	int unsent;

	while (rc == ERR_OK && (unsent = PQflush(c->pg)) != 0)
		rc = exchange(c, what, deadline, unsent, e);
	return rc;
}

enum err_code
db_wire_next(struct db_conn *c, const char *what, int64_t deadline, PGresult **out, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (c->pg == NULL)
		return db_err_closed(what, e);
	while (rc == ERR_OK && PQisBusy(c->pg))
		rc = exchange(c, what, deadline, PQflush(c->pg), e);
	if (rc == ERR_OK)
		*out = PQgetResult(c->pg);
	return rc;
}

static bool
is_failure(const PGresult *r)
{
	switch (PQresultStatus(r)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY: return false;
	default: return true;
	}
}

/* COPY never ends by itself, and none of our statements copies. */
static bool
is_copy(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

enum err_code
db_wire_answer(struct db_conn *c, const char *what, int64_t deadline, PGresult **out, struct err *e)
{
	AUTO(pgresult) PGresult *kept = NULL;
	PGresult *r = NULL;
	enum err_code rc;

	while ((rc = db_wire_next(c, what, deadline, &r, e)) == ERR_OK && r != NULL) {
		if (is_copy(r)) {
			PQclear(r);
			db_drop(c);
			return err_set(e, ERR_INTERNAL, "%s: COPY is not supported", what);
		}
		if (kept != NULL && is_failure(kept)) {
			PQclear(r);
			continue;
		}
		PQclear(kept);
		kept = r;
	}
	if (c->pg != NULL && PQstatus(c->pg) == CONNECTION_BAD)
		db_drop(c);
	if (kept != NULL && is_failure(kept)) /* says more than the loss that may follow it */
		return db_err_result(c, what, kept, e);
	if (rc != ERR_OK)
		return rc;
	if (kept == NULL)
		return err_set(e, ERR_INTERNAL, "%s: no result", what);
	if (c->unsynced)
		return err_set(e, ERR_UNCERTAIN, "%s: the wait for a standby was cancelled", what);
	*out = TAKE(kept);
	return ERR_OK;
}

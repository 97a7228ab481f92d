#include "common/db/db_priv.h"

#include "common/base/clock.h"

enum { TX_ATTEMPTS = 3, TX_PAUSE_MS = 20 };

/* It goes with the first statement. What was sent before is no part of the transaction. */
enum err_code
db_begin(struct db_conn *c, struct err *e)
{
	enum err_code rc = db_settle(c, e);

	return rc == ERR_OK ? db_pipe_plain(c, "BEGIN", "BEGIN", false, e) : rc;
}

static enum err_code
send_commit(struct db_conn *c, struct err *e)
{
	if (c->pg == NULL)
		return db_err_closed("COMMIT", e);
	if (!db_seems_alive(c)) { /* lost before: surely not committed */
		db_drop(c);
		return err_set(e, ERR_UNAVAILABLE, "COMMIT: not sent, the connection was lost");
	}
	return db_pipe_plain(c, "COMMIT", "COMMIT", true, e);
}

/* The server's answer decides; without one, nobody knows whether it committed. */
enum err_code
db_commit(struct db_conn *c, struct err *e)
{
	enum err_code rc = send_commit(c, e);

	return rc == ERR_OK ? db_settle(c, e) : rc;
}

/* ---- hints ---- */

/* A plain NOTIFY commits as other work does: listeners hear of it after the disk has. */
static const struct db_stmt NOTIFY = {
	.name = "notify",
	.sql = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')",
};

enum err_code
db_notify(struct db_conn *c, const char *channel, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_text(&p, str_of(channel));
	return db_exec(c, &NOTIFY, &p, NULL, e);
}

/* Prepared before COMMIT is sent: what then still can go wrong is the connection. */
enum err_code
db_commit_notify(struct db_conn *c, const char *channel, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct db_args a;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(channel));
	rc = db_args_fill(&a, &p, NOTIFY.name, e);
	if (rc == ERR_OK)
		rc = db_stmt_ready(c, &NOTIFY, &a, e);
	if (rc == ERR_OK)
		rc = send_commit(c, e);
	if (rc != ERR_OK)
		return rc;
	rc = db_pipe_stmt(c, &NOTIFY, &p, NULL, e);
	if (rc != ERR_OK) /* it may have waited for COMMIT's answer, to make room */
		return db_is_broken(c) ? (e->code = ERR_UNCERTAIN) : rc;
	return db_settle(c, e);
}

void
db_rollback_later(struct db_conn *c)
{
	struct err e;

	if (db_settle(c, &e) != ERR_OK) {
		/* What became of it does not matter any more. */
	}
	if (c->pg == NULL || PQtransactionStatus(c->pg) == PQTRANS_IDLE)
		return;
	if (db_pipe_plain(c, "ROLLBACK", "ROLLBACK", false, &e) != ERR_OK)
		db_drop(c);
}

void
db_rollback(struct db_conn *c)
{
	struct err e;

	db_rollback_later(c);
	if (c->nsteps > 0 && db_settle(c, &e) != ERR_OK)
		db_drop(c);
}

static enum err_code
tx_once(struct db_conn *c, db_tx_fn fn, void *arg, struct err *e)
{
	enum err_code rc = db_begin(c, e);

	if (rc == ERR_OK)
		rc = fn(c, arg, e);
	if (rc == ERR_OK)
		rc = db_commit(c, e);
	if (rc != ERR_OK)
		db_rollback(c);
	return rc;
}

enum err_code
db_tx(struct db_pool *p, int64_t wait_ms, db_tx_fn fn, void *arg, struct err *e)
{
	for (unsigned attempt = 1;; attempt++) {
		struct db_conn *c;
		enum err_code rc = db_pool_get(p, wait_ms, &c, e);

		if (rc != ERR_OK)
			return rc;
		rc = tx_once(c, fn, arg, e);
		db_pool_put(p, c);
		if (rc != ERR_UNAVAILABLE || attempt == TX_ATTEMPTS)
			return rc;
		clock_sleep_ms(1 + (int64_t)arc4random_uniform(TX_PAUSE_MS << attempt));
	}
}

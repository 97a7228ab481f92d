#include "common/db/db_priv.h"

#include "common/base/clock.h"

enum { TX_ATTEMPTS = 3, TX_PAUSE_MS = 20 };

enum err_code
db_begin(struct db_conn *c, struct err *e)
{
	return db_command(c, "BEGIN", e);
}

/* The server's answer decides; without one, nobody knows whether it committed. */
enum err_code
db_commit(struct db_conn *c, struct err *e)
{
	AUTO(pgresult) PGresult *r = NULL;
	enum err_code rc = db_settle(c, e);

	if (rc != ERR_OK)
		return rc;
	if (c->pg == NULL)
		return db_err_closed("COMMIT", e);
	if (!db_seems_alive(c)) { /* lost before: surely not committed */
		db_drop(c);
		return err_set(e, ERR_UNAVAILABLE, "COMMIT: not sent, the connection was lost");
	}
	rc = db_command_until(c, "COMMIT", db_deadline(c), &r, e);
	if (rc != ERR_OK && db_is_broken(c))
		e->code = rc = ERR_UNCERTAIN;
	if (rc != ERR_OK)
		return rc;
	if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
		return err_set(e, ERR_INTERNAL, "COMMIT: rolled back, a statement had failed");
	if (c->warned)
		return err_set(e, ERR_UNCERTAIN, "COMMIT: done, but with a warning");
	return ERR_OK;
}

void
db_rollback(struct db_conn *c)
{
	struct err e;

	if (db_settle(c, &e) != ERR_OK) {
		/* What became of it does not matter any more. */
	}
	if (c->pg == NULL || PQtransactionStatus(c->pg) == PQTRANS_IDLE)
		return;
	if (db_command(c, "ROLLBACK", &e) != ERR_OK)
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

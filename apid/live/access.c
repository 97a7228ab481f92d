#include "apid/live/access.h"

#include "apid/live/signed_pass.h"
#include "common/base/origin.h"

static const struct db_stmt KEY = {
	.name = "live_key",
	.sql = "SELECT a.app_id, a.is_active, array_to_string(a.allowed_origins, ','),"
	       " k.api_key_hash"
	       " FROM api_keys AS k JOIN apps AS a USING (app_id)"
	       " WHERE k.key_id = $1 AND k.revoked_at IS NULL AND a.deleted_at IS NULL"
	       " AND (k.expires_at IS NULL OR k.expires_at > now())",
};

static const struct db_stmt TOKEN = {
	.name = "live_token",
	.sql = "UPDATE live_tokens AS t SET last_used_at = now() FROM apps AS a"
	       " WHERE t.token_id = $1 AND t.app_id = a.app_id AND t.revoked_at IS NULL"
	       " AND t.expires_at > now() AND a.deleted_at IS NULL"
	       " RETURNING a.app_id, a.is_active, array_to_string(t.origins, ',')",
};
enum { COL_APP_ID, COL_IS_ACTIVE, COL_ORIGINS, COL_HASH };

static const struct db_stmt SPEND = {
	.name = "live_spend_ticket",
	.sql = "INSERT INTO used_tickets (ticket_id, expires_at) VALUES ($1, $2)"
	       " ON CONFLICT DO NOTHING",
};

static enum err_code
look_up(
    struct db_conn *c, const struct db_stmt *s, struct str id, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_text(&p, id);
	return db_exec(c, s, &p, out, e);
}

static bool
is_allowed(struct str list, struct str origin)
{
	return origin_is_listed(list, STR("*")) || origin_is_listed(list, origin);
}

/* The operator says which pages may, and an app which of them. A token is bound to its own: an admin
 * has named them for it. */
static bool
is_from_here(const struct live_caller *who, struct str own, enum live_by by)
{
	if (who->origin.p == NULL)
		return by != LIVE_BY_TOKEN; /* who does not say where it is from is from nowhere */
	if (by == LIVE_BY_TOKEN)
		return origin_is_listed(own, who->origin);
	return is_allowed(who->house->origins, who->origin)
	    && (own.n == 0 || origin_is_listed(own, who->origin));
}

/* Of a row that was found. */
static enum live_verdict
judge(const struct db_result *r, const struct live_caller *who, enum live_by by)
{
	if (!db_bool(r, 0, COL_IS_ACTIVE))
		return LIVE_DISABLED;
	return is_from_here(who, db_str(r, 0, COL_ORIGINS), by) ? LIVE_GOOD : LIVE_FOREIGN;
}

static void
fill(struct live_pass *pass, const struct db_result *r, enum live_by kind, struct str id)
{
	*pass = (struct live_pass){ .app_id = db_uuid(r, 0, COL_APP_ID), .kind = kind };
	memcpy(pass->id, id.p, id.n);
}

static bool
is_hash_of(const struct live_caller *who, struct str key, struct str hash)
{
	return hash.n == HMAC_BYTES
	    && pepper_fits(who->house->pepper, key, (const unsigned char *)hash.p);
}

enum err_code
live_by_key(struct db_conn *c, const struct live_caller *who, struct str key,
    struct live_pass *pass, enum live_verdict *verdict, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct str id;
	enum err_code rc;

	*verdict = LIVE_BAD;
	if (!api_key_parse(key, &id))
		return ERR_OK;
	rc = look_up(c, &KEY, id, &r, e);
	if (rc != ERR_OK || db_rows(&r) == 0 || !is_hash_of(who, key, db_str(&r, 0, COL_HASH)))
		return rc;
	*verdict = judge(&r, who, LIVE_BY_KEY);
	fill(pass, &r, LIVE_BY_KEY, id);
	return ERR_OK;
}

/* One statement, on the primary, for all replicas: no new row means that it was used before. */
static enum err_code
spend(struct db_conn *c, const struct signed_pass *ticket, bool *spent, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(ticket->id));
	db_p_time(&p, ticket->expires_s * 1000);
	rc = db_exec(c, &SPEND, &p, &r, e);
	if (rc == ERR_OK)
		*spent = db_affected(&r) > 0;
	return rc;
}

enum err_code
live_by_ticket(struct db_conn *c, const struct live_caller *who, struct str text,
    struct live_pass *pass, enum live_verdict *verdict, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct signed_pass ticket;
	bool spent = false;
	enum err_code rc;

	*verdict = LIVE_BAD;
	if (!signed_pass_read(who->house->pepper, SIGNED_TICKET, text, &ticket))
		return ERR_OK;
	rc = look_up(c, &KEY, str_of(ticket.key_id), &r, e);
	if (rc != ERR_OK || db_rows(&r) == 0)
		return rc;
	rc = spend(c, &ticket, &spent, e);
	if (rc != ERR_OK || !spent)
		return rc;
	*verdict = judge(&r, who, LIVE_BY_KEY);
	fill(pass, &r, LIVE_BY_KEY, str_of(ticket.key_id));
	return ERR_OK;
}

enum err_code
live_by_token(struct db_conn *c, const struct live_caller *who, struct str text,
    struct live_pass *pass, enum live_verdict *verdict, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct signed_pass token;
	enum err_code rc;

	*verdict = LIVE_BAD;
	if (!signed_pass_read(who->house->pepper, SIGNED_LIVE_TOKEN, text, &token))
		return ERR_OK;
	rc = look_up(c, &TOKEN, str_of(token.id), &r, e);
	if (rc != ERR_OK || db_rows(&r) == 0)
		return rc;
	*verdict = judge(&r, who, LIVE_BY_TOKEN);
	fill(pass, &r, LIVE_BY_TOKEN, str_of(token.id));
	return ERR_OK;
}

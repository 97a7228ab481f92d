/* Whoever was let in by a key or token that is good no more, or whose app was disabled, has to go. */
#include "apid/live/hub_priv.h"

static const struct db_stmt KEYS = {
	.name = "live_keys_good",
	.sql = "SELECT k.key_id, a.is_active FROM api_keys AS k JOIN apps AS a USING (app_id)"
	       " WHERE k.key_id = ANY($1) AND k.revoked_at IS NULL AND a.deleted_at IS NULL"
	       " AND (k.expires_at IS NULL OR k.expires_at > now())",
};

static const struct db_stmt TOKENS = {
	.name = "live_tokens_good",
	.sql = "SELECT t.token_id, a.is_active FROM live_tokens AS t JOIN apps AS a USING (app_id)"
	       " WHERE t.token_id = ANY($1) AND t.revoked_at IS NULL AND a.deleted_at IS NULL"
	       " AND t.expires_at > now()",
};

struct holding {
	struct live_pass pass;
	bool is_good, is_active;
};

struct holdings {
	struct holding *all; /* sorted, each pass once */
	int n;
};

static int
by_pass(const void *x, const void *y)
{
	const struct live_pass *a = x, *b = y;

	return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->id, b->id);
}

/* With the lock held. */
static void
collect(struct live_hub *h, struct holdings *out)
{
	int n = 0;

	out->all = calloc((size_t)h->count + 1, sizeof *out->all);
	if (out->all == NULL)
		abort();
	for (struct live_tenant *t = h->tenants; t != NULL; t = t->next)
		for (struct live_sub *s = t->subs; s != NULL; s = s->next)
			out->all[n++].pass = s->pass;
	qsort(out->all, (size_t)n, sizeof *out->all, by_pass);
	for (int i = 0; i < n; i++)
		if (out->n == 0 || by_pass(&out->all[out->n - 1], &out->all[i]) != 0)
			out->all[out->n++] = out->all[i];
}

static struct holding *
find(const struct holdings *all, const struct live_pass *pass)
{
	return bsearch(pass, all->all, (size_t)all->n, sizeof *all->all, by_pass);
}

static enum err_code
ask(struct live_hub *h, struct holdings *all, enum live_by kind, const struct db_stmt *stmt,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array ids;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct live_pass pass = { .kind = kind };
	enum err_code rc;

	db_params_init(&p);
	db_array_init(&ids, DB_TEXT);
	for (int i = 0; i < all->n; i++)
		if (all->all[i].pass.kind == kind)
			db_array_bytes(&ids, str_of(all->all[i].pass.id));
	if (ids.n == 0)
		return ERR_OK;
	db_p_array(&p, &ids);
	rc = db_exec(h->conn, stmt, &p, &r, e);
	for (int i = 0; rc == ERR_OK && i < db_rows(&r); i++) {
		struct str id = db_str(&r, i, 0);
		struct holding *found;

		memcpy(pass.id, id.p, id.n);
		pass.id[id.n] = '\0';
		found = find(all, &pass);
		found->is_good = true;
		found->is_active = db_bool(&r, i, 1);
	}
	return rc;
}

static void
judge(const struct holdings *all, struct live_sub *s)
{
	const struct holding *h = find(all, &s->pass);

	if (h == NULL) /* came after the question */
		return;
	if (!h->is_good)
		live_end(s, LIVE_END_UNAUTHORIZED);
	else if (!h->is_active)
		live_end(s, LIVE_END_FORBIDDEN);
}

enum err_code
live_recheck(struct live_hub *h, struct err *e)
{
	struct holdings all = { .n = 0 };
	enum err_code rc;

	live_lock(h);
	collect(h, &all);
	live_unlock(h);
	rc = ask(h, &all, LIVE_BY_KEY, &KEYS, e);
	if (rc == ERR_OK)
		rc = ask(h, &all, LIVE_BY_TOKEN, &TOKENS, e);
	live_lock(h);
	for (struct live_tenant *t = h->tenants; rc == ERR_OK && t != NULL; t = t->next)
		for (struct live_sub *s = t->subs; s != NULL; s = s->next)
			judge(&all, s);
	live_unlock(h);
	free(all.all);
	return rc;
}

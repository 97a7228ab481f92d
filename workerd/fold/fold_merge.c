/* Applying a change to a row: one small rule per column, chosen by the table of columns. */
#include "workerd/fold/fold.h"

#include "workerd/fold/fold_lists.h"

static int
compare_hash(const struct fold_key *a, const struct fold_key *b)
{
	return memcmp(a->hash, b->hash, sizeof a->hash);
}

static int
compare(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_time(const struct fold_key *a, const struct fold_key *b)
{
	int c = compare(a->at, b->at);

	if (c == 0)
		c = compare(a->rank, b->rank);
	return c != 0 ? c : compare_hash(a, b);
}

static int
by_rank(const struct fold_key *a, const struct fold_key *b)
{
	int c = compare(a->rank, b->rank);

	if (c == 0)
		c = compare(a->at, b->at);
	return c != 0 ? c : compare_hash(a, b);
}

static void
take_latest(struct fold_row *row, int f, const struct fold_change *c,
    int (*order)(const struct fold_key *, const struct fold_key *))
{
	if (row->r.v[f].set && order(&c->key, &row->keys[f]) <= 0)
		return;
	row->r.v[f] = c->v[f];
	row->keys[f] = c->key;
}

static void
take_extreme(struct record_value *have, const struct record_value *new, int sign)
{
	if (!have->set || compare(new->i, have->i) == sign)
		*have = *new;
}

static void
collect(struct fold_row *row, int f, const struct fold_change *c, struct arena *a)
{
	struct str have = row->r.v[f].set ? row->r.v[f].s : STR_NONE;

	if (have.p != NULL && str_eq(have, c->v[f].s))
		return;
	row->r.v[f] = record_text(f == CALL_recordings ? recordings_union(have, c->v[f].s, a)
						       : labels_union(have, c->v[f].s, a));
}

void
fold_merge(struct fold_row *row, const struct fold_change *c, struct arena *a)
{
	for (int f = 0; f < c->kind->nfields; f++) {
		if (!c->v[f].set)
			continue;
		switch (c->kind->fields[f].rule) {
		case RECORD_LATEST: take_latest(row, f, c, by_time); break;
		case RECORD_RANKED: take_latest(row, f, c, by_rank); break;
		case RECORD_GREATEST: take_extreme(&row->r.v[f], &c->v[f], 1); break;
		case RECORD_LEAST: take_extreme(&row->r.v[f], &c->v[f], -1); break;
		case RECORD_COLLECT: collect(row, f, c, a); break;
		case RECORD_DERIVED: break;
		}
	}
	if (c->voicemail_received_at != 0
	    && (row->voicemail_received_at == 0
		|| c->voicemail_received_at < row->voicemail_received_at))
		row->voicemail_received_at = c->voicemail_received_at;
}

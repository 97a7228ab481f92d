/*
 * The keys of a row, packed: most fields of a row come from the same few events, so each distinct
 * key is stored once and a field names it by number.
 *   version (1) · number of keys (1) · keys: time (8, big-endian), rank (1), hash (32)
 *   · number of fields (1) · per field: index of its key, or 255 for none
 */
#include "workerd/fold/fold.h"

enum { VERSION = 1, KEY_BYTES = 8 + 1 + FOLD_HASH_BYTES, NONE = 255 };

_Static_assert((int)RECORD_MAX_FIELDS < (int)NONE, "an index of a key fits into a byte");

static bool
has_key(const struct fold_row *row, const struct record_kind *kind, int f)
{
	enum record_rule rule = kind->fields[f].rule;

	return (rule == RECORD_LATEST || rule == RECORD_RANKED) && row->r.v[f].set;
}

static bool
same_key(const struct fold_key *a, const struct fold_key *b)
{
	return a->at == b->at && a->rank == b->rank
	    && memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

static uint8_t *
put_key(uint8_t *p, const struct fold_key *k)
{
	for (int i = 7; i >= 0; i--)
		*p++ = (uint8_t)((uint64_t)k->at >> (8 * i));
	*p++ = k->rank;
	memcpy(p, k->hash, sizeof k->hash);
	return p + sizeof k->hash;
}

static void
get_key(const uint8_t *p, struct fold_key *k)
{
	uint64_t at = 0;

	for (int i = 0; i < 8; i++)
		at = at << 8 | *p++;
	k->at = (int64_t)at;
	k->rank = *p++;
	memcpy(k->hash, p, sizeof k->hash);
}

struct str
fold_clocks_encode(const struct fold_row *row, const struct record_kind *kind, struct arena *a)
{
	uint8_t index[RECORD_MAX_FIELDS] = { 0 }, *out, *p;
	const struct fold_key *distinct[RECORD_MAX_FIELDS];
	uint8_t n = 0;

	for (int f = 0; f < kind->nfields; f++) {
		uint8_t i = 0;

		index[f] = NONE;
		if (!has_key(row, kind, f))
			continue;
		while (i < n && !same_key(distinct[i], &row->keys[f]))
			i++;
		if (i == n)
			distinct[n++] = &row->keys[f];
		index[f] = i;
	}
	p = out = arena_alloc(a, 3 + (size_t)n * KEY_BYTES + (size_t)kind->nfields);
	*p++ = VERSION;
	*p++ = n;
	for (uint8_t i = 0; i < n; i++)
		p = put_key(p, distinct[i]);
	*p++ = (uint8_t)kind->nfields;
	memcpy(p, index, (size_t)kind->nfields);
	return (struct str){ (char *)out, (size_t)(p - out) + (size_t)kind->nfields };
}

void
fold_clocks_decode(struct str clocks, const struct record_kind *kind, struct fold_row *row)
{
	const uint8_t *p = (const uint8_t *)clocks.p;
	size_t keys_end, nkeys, nfields;

	memset(row->keys, 0, sizeof row->keys);
	if (clocks.n < 3 || p[0] != VERSION)
		return;
	nkeys = p[1];
	keys_end = 2 + nkeys * KEY_BYTES;
	if (clocks.n <= keys_end || clocks.n != keys_end + 1 + p[keys_end])
		return;
	nfields = p[keys_end];
	for (size_t f = 0; f < nfields && f < (size_t)kind->nfields; f++) {
		uint8_t i = p[keys_end + 1 + f];

		if (i < nkeys)
			get_key(p + 2 + (size_t)i * KEY_BYTES, &row->keys[f]);
	}
}

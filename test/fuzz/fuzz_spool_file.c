/*
 * ingestd/spool_file. The first byte says what the rest is:
 *   0  a file as it stands
 *   1  a file without its head and its hash, which are added here: so the parser is reached
 * What is read must survive being written and read again.
 */
#include "test/fuzz/fuzz.h"

#include "ingestd/spool_file.h"

#include <sodium.h>

enum { HASH_BYTES = 32 };

static void
make_file(unsigned sealed, struct str in, struct buf *file)
{
	unsigned char hash[HASH_BYTES];

	if (!sealed) {
		buf_add_str(file, in);
		return;
	}
	buf_add_c(file, "CTISPL1\n");
	buf_add_str(file, in);
	crypto_generichash(hash, sizeof hash, (const unsigned char *)file->p, file->n, NULL, 0);
	buf_add(file, hash, sizeof hash);
}

static bool
same_text(struct str a, struct str b)
{
	return (a.p == NULL) == (b.p == NULL) && str_eq(a, b);
}

static void
check_same(const struct event *a, const struct event *b)
{
	FUZZ_CHECK(uuid_eq(a->app_id, b->app_id) && uuid_eq(a->id, b->id));
	FUZZ_CHECK(a->hook == b->hook && a->is_json == b->is_json);
	FUZZ_CHECK(a->arrived_at == b->arrived_at && a->event_at == b->event_at);
	FUZZ_CHECK(same_text(a->type, b->type) && same_text(a->dialpad_id, b->dialpad_id));
	FUZZ_CHECK(str_eq(a->claims, b->claims));
}

static void
check_survives(const struct event *const *events, int n, struct arena *a)
{
	AUTO_RELEASE(buf_release) struct buf again = BUF(FUZZ_TOKEN_ROOM);
	const struct event *const *others;
	struct err e;
	int nothers;

	spool_encode(events, n, &again);
	FUZZ_CHECK(spool_decode(buf_str(&again), a, &others, &nothers, &e) == ERR_OK);
	FUZZ_CHECK(nothers == n);
	for (int i = 0; i < n; i++)
		check_same(events[i], others[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_RELEASE(buf_release) struct buf file = BUF(FUZZ_TOKEN_ROOM);
	AUTO_RELEASE(arena_release) struct arena a;
	struct str in = { (const char *)data, n };
	unsigned sealed = fuzz_byte(&in) % 2;
	const struct event *const *events;
	AUTO(str) char *exact = NULL;
	struct err e;
	int nevents;

	FUZZ_CHECK(sodium_init() >= 0);
	arena_init(&a);
	make_file(sealed, in, &file);
	exact = fuzz_exact(buf_str(&file));
	if (spool_decode((struct str){ exact, file.n }, &a, &events, &nevents, &e) == ERR_OK)
		check_survives(events, nevents, &a);
	else
		FUZZ_CHECK(e.code == ERR_INVALID);
	return 0;
}

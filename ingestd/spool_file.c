#include "ingestd/spool_file.h"

#include <sodium.h>

static const char magic[8] = "CTISPL1\n";

enum { HASH_BYTES = 32, IS_JSON = 1, HAS_TYPE = 2, HAS_ID = 4 };
/* Two ids, hook, flags, two instants, three lengths: an event without any text. */
enum { LEAST_EVENT_BYTES = 2 * 16 + 4 + 1 + 2 * 8 + 3 * 4 };

/* ---- writing ---- */

static void
put_int(struct buf *b, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_add_char(b, (char)(v >> (8 * i) & 0xff));
}

static void
put_text(struct buf *b, struct str s)
{
	put_int(b, s.n, 4);
	buf_add_str(b, s);
}

static void
put_event(struct buf *b, const struct event *ev)
{
	int flags = (ev->is_json ? IS_JSON : 0) | (ev->type.p != NULL ? HAS_TYPE : 0)
	    | (ev->dialpad_id.p != NULL ? HAS_ID : 0);

	buf_add(b, ev->app_id.b, sizeof ev->app_id.b);
	buf_add(b, ev->id.b, sizeof ev->id.b);
	put_int(b, (uint64_t)ev->hook, 4);
	put_int(b, (uint64_t)flags, 1);
	put_int(b, (uint64_t)ev->arrived_at, 8);
	put_int(b, (uint64_t)ev->event_at, 8);
	put_text(b, ev->type);
	put_text(b, ev->dialpad_id);
	put_text(b, ev->claims);
}

void
spool_encode(const struct event *const *events, int n, struct buf *out)
{
	unsigned char hash[HASH_BYTES];

	buf_add(out, magic, sizeof magic);
	put_int(out, (uint64_t)n, 4);
	for (int i = 0; i < n; i++)
		put_event(out, events[i]);
	crypto_generichash(
	    hash, sizeof hash, (const unsigned char *)buf_str(out).p, out->n, NULL, 0);
	buf_add(out, hash, sizeof hash);
}

/* ---- reading ---- */

struct reader {
	const unsigned char *p;
	size_t left;
	bool failed;
};

static const unsigned char *
take(struct reader *r, size_t n)
{
	const unsigned char *at = r->p;

	if (r->failed || n > r->left) {
		r->failed = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return at;
}

static uint64_t
get_int(struct reader *r, int bytes)
{
	const unsigned char *at = take(r, (size_t)bytes);
	uint64_t v = 0;

	for (int i = 0; at != NULL && i < bytes; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

static struct str
get_text(struct reader *r)
{
	size_t n = (size_t)get_int(r, 4);
	const unsigned char *at = take(r, n);

	return at == NULL ? STR_NONE : (struct str){ (const char *)at, n };
}

static struct uuid
get_uuid(struct reader *r)
{
	struct uuid u = UUID_NIL;
	const unsigned char *at = take(r, sizeof u.b);

	if (at != NULL)
		memcpy(u.b, at, sizeof u.b);
	return u;
}

static void
get_event(struct reader *r, struct event *ev)
{
	uint64_t flags;

	ev->app_id = get_uuid(r);
	ev->id = get_uuid(r);
	ev->hook = (int32_t)get_int(r, 4);
	flags = get_int(r, 1);
	ev->is_json = (flags & IS_JSON) != 0;
	ev->arrived_at = (int64_t)get_int(r, 8);
	ev->event_at = (int64_t)get_int(r, 8);
	ev->type = get_text(r);
	ev->dialpad_id = get_text(r);
	ev->claims = get_text(r);
	if ((flags & HAS_TYPE) == 0)
		ev->type = STR_NONE;
	if ((flags & HAS_ID) == 0)
		ev->dialpad_id = STR_NONE;
}

static bool
is_whole(struct str bytes)
{
	unsigned char hash[HASH_BYTES];

	if (bytes.n < sizeof magic + 4 + HASH_BYTES || memcmp(bytes.p, magic, sizeof magic) != 0)
		return false;
	crypto_generichash(
	    hash, sizeof hash, (const unsigned char *)bytes.p, bytes.n - HASH_BYTES, NULL, 0);
	return memcmp(hash, bytes.p + bytes.n - HASH_BYTES, HASH_BYTES) == 0;
}

enum err_code
spool_decode(
    struct str bytes, struct arena *a, const struct event *const **events, int *n, struct err *e)
{
	struct reader r = { (const unsigned char *)bytes.p, bytes.n, false };
	struct event *list;
	const struct event **pointers;
	uint64_t count;

	if (!is_whole(bytes))
		return err_set(e, ERR_INVALID, "the file is damaged or was not written by ingestd");
	r.left -= HASH_BYTES;
	(void)take(&r, sizeof magic);
	count = get_int(&r, 4);
	if (count > r.left / LEAST_EVENT_BYTES)
		return err_set(e, ERR_INVALID, "the file claims more events than it has bytes");
	list = arena_new(a, struct event, (size_t)count + 1);
	pointers = arena_new(a, const struct event *, (size_t)count + 1);
	for (size_t i = 0; i < count; i++) {
		get_event(&r, &list[i]);
		pointers[i] = &list[i];
	}
	if (r.failed || r.left != 0)
		return err_set(e, ERR_INVALID, "the file does not hold the events that it claims");
	*events = pointers;
	*n = (int)count;
	return ERR_OK;
}

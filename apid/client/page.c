#include "apid/client/page.h"

#include "common/crypto/base64url.h"

#include <sodium.h>

enum {
	ID_BYTES = 16,
	PLACE_BYTES = 8 + ID_BYTES,
	MAC_BYTES = 16, /* of 32: nobody can try 2^128 cursors */
	CURSOR_BYTES = PLACE_BYTES + MAC_BYTES,
	MAX_SCOPE_BYTES = 100,
};

const char *const PAGE_PARAMETERS[] = { "limit", "offset", "cursor", "order", "total", NULL };
const char *const PAGE_PARAMETERS_WHOLE[] = { "limit", "order", "total", NULL };

static void
place_write(struct page_place place, unsigned char out[PLACE_BYTES])
{
	uint64_t t = (uint64_t)place.sort_at;

	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(t >> (56 - 8 * i));
	memcpy(out + 8, place.id.b, ID_BYTES);
}

static struct page_place
place_read(const unsigned char in[PLACE_BYTES])
{
	struct page_place place;
	uint64_t t = 0;

	for (int i = 0; i < 8; i++)
		t = t << 8 | in[i];
	place.sort_at = (int64_t)t;
	memcpy(place.id.b, in + 8, ID_BYTES);
	return place;
}

static void
sign(const struct page_scope *s, int which, const unsigned char place[PLACE_BYTES],
    unsigned char mac[HMAC_BYTES])
{
	AUTO_RELEASE(buf_release) struct buf message = BUF(MAX_SCOPE_BYTES);

	buf_add_fmt(&message, "%s|%s|", s->list, s->oldest_first ? "asc" : "desc");
	buf_add(&message, s->app_id.b, ID_BYTES);
	buf_add(&message, place, PLACE_BYTES);
	hmac_sha256(pepper_key(s->keys, which), buf_str(&message), mac);
}

void
page_cursor_format(const struct page_scope *s, struct page_place place, struct buf *out)
{
	unsigned char cursor[CURSOR_BYTES], mac[HMAC_BYTES];

	place_write(place, cursor);
	sign(s, 0, cursor, mac);
	memcpy(cursor + PLACE_BYTES, mac, MAC_BYTES);
	base64url_encode((struct str){ (const char *)cursor, sizeof cursor }, out);
}

bool
page_cursor_parse(const struct page_scope *s, struct str text, struct page_place *out)
{
	AUTO_RELEASE(buf_release) struct buf bytes = BUF(CURSOR_BYTES);
	const unsigned char *cursor;
	unsigned char mac[HMAC_BYTES];
	bool fits = false;

	if (text.n != PAGE_CURSOR_CHARS || !base64url_decode(text, &bytes))
		return false;
	cursor = (const unsigned char *)bytes.p;
	for (int i = 0; i < PEPPERS && !fits; i++) {
		sign(s, i, cursor, mac);
		fits = sodium_memcmp(cursor + PLACE_BYTES, mac, MAC_BYTES) == 0;
	}
	if (fits)
		*out = place_read(cursor);
	return fits;
}

/* One of two words; `dflt` when absent. */
static enum err_code
read_either(const struct http_req *req, const char *name, const char *yes, const char *no,
    bool dflt, bool *out, struct err *e)
{
	struct str value = http_query(req, name);

	if (value.p == NULL)
		*out = dflt;
	else if (str_eq(value, str_of(yes)))
		*out = true;
	else if (str_eq(value, str_of(no)))
		*out = false;
	else
		return err_set(
		    e, ERR_INVALID, "query parameter \"%s\" is neither %s nor %s", name, yes, no);
	return ERR_OK;
}

static enum err_code
read_cursor(
    const struct http_req *req, const struct page_rules *rules, struct page *p, struct err *e)
{
	const struct page_scope scope = {
		.keys = rules->cursor_keys,
		.list = rules->list,
		.app_id = rules->app_id,
		.oldest_first = p->oldest_first,
	};
	struct str text = http_query(req, "cursor");

	p->has_after = text.p != NULL;
	if (!p->has_after)
		return ERR_OK;
	/* The first page's offset may stay in the query: clients that build it from defaults send it. */
	if (p->offset != 0)
		return err_set(e, ERR_INVALID,
		    "query parameters \"cursor\" and \"offset\" exclude each other");
	if (!page_cursor_parse(&scope, text, &p->after))
		return err_set(e, ERR_INVALID,
		    "query parameter \"cursor\" is no next_cursor of "
		    "this list in this order");
	return ERR_OK;
}

enum err_code
page_read(
    const struct http_req *req, const struct page_rules *rules, struct page *out, struct err *e)
{
	struct page p = { .offset = 0 };
	enum err_code rc;

	rc = http_query_i64(req, "limit", 1, PAGE_MAX_LIMIT, rules->default_limit, &p.limit, e);
	if (rc == ERR_OK)
		rc = read_either(req, "order", "asc", "desc", false, &p.oldest_first, e);
	if (rc == ERR_OK)
		rc = read_either(req, "total", "true", "false", true, &p.wants_total, e);
	if (rc == ERR_OK && rules->in_parts)
		rc = http_query_i64(req, "offset", 0, PAGE_MAX_OFFSET, 0, &p.offset, e);
	if (rc == ERR_OK && rules->in_parts)
		rc = read_cursor(req, rules, &p, e);
	if (rc == ERR_OK)
		*out = p;
	return rc;
}

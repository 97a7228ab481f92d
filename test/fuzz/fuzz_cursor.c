/*
 * Cursors: apid/client/page. The first byte says what the rest is:
 *   0  a cursor as it stands: only one of ours is accepted, in its one spelling
 *   1  a place: the cursor made of it leads back to it, for its tenant, list and order alone
 *   2  the same with one bit of the cursor changed, which is refused
 */
#include "test/fuzz/fuzz.h"

#include "apid/client/page.h"

#include <sodium.h>

enum { AS_IT_STANDS, A_PLACE, CHANGED, KINDS };

static const struct pepper_keys keys = { { { 7, 7, 7 }, { 8, 8, 8 } } };
static const struct page_scope scope = { &keys, "calls", { { 1, 2, 3 } }, false };

static struct page_place
make_place(struct str *in)
{
	struct page_place place = { .sort_at = 0 };

	for (int i = 0; i < 8; i++)
		place.sort_at = (int64_t)((uint64_t)place.sort_at << 8 | fuzz_byte(in));
	for (size_t i = 0; i < sizeof place.id.b; i++)
		place.id.b[i] = (unsigned char)fuzz_byte(in);
	return place;
}

static bool
is_same(struct page_place a, struct page_place b)
{
	return a.sort_at == b.sort_at && uuid_eq(a.id, b.id);
}

static void
check_elsewhere(struct str text)
{
	struct page_scope other[] = { scope, scope, scope };
	struct page_place out;

	other[0].list = "messages";
	other[1].app_id.b[15] = 1;
	other[2].oldest_first = true;
	for (int i = 0; i < 3; i++)
		FUZZ_CHECK(!page_cursor_parse(&other[i], text, &out));
}

static void
check_place(struct str in)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(100);
	struct page_place out, place = make_place(&in);

	page_cursor_format(&scope, place, &text);
	FUZZ_CHECK(text.n == PAGE_CURSOR_CHARS);
	FUZZ_CHECK(page_cursor_parse(&scope, buf_str(&text), &out) && is_same(out, place));
	check_elsewhere(buf_str(&text));
}

static void
check_changed(struct str in)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(100);
	struct page_place out, place = make_place(&in);
	unsigned at = fuzz_byte(&in) % PAGE_CURSOR_CHARS, bit = 1u << fuzz_byte(&in) % 8;

	page_cursor_format(&scope, place, &text);
	text.p[at] = (char)((unsigned char)text.p[at] ^ bit);
	FUZZ_CHECK(!page_cursor_parse(&scope, buf_str(&text), &out));
}

static void
check_given(struct str text)
{
	AUTO_RELEASE(buf_release) struct buf again = BUF(100);
	struct page_place out;

	if (!page_cursor_parse(&scope, text, &out))
		return;
	page_cursor_format(&scope, out, &again);
	FUZZ_CHECK(str_eq(buf_str(&again), text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(str) char *exact = fuzz_exact((struct str){ (const char *)data, n });
	struct str in = { exact, n };
	unsigned kind = fuzz_byte(&in) % KINDS;

	FUZZ_CHECK(sodium_init() >= 0);
	if (kind == A_PLACE)
		check_place(in);
	else if (kind == CHANGED)
		check_changed(in);
	else
		check_given(in);
	return 0;
}

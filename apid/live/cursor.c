#include "apid/live/cursor.h"

#include "common/base/buf.h"
#include "common/crypto/base64url.h"

#include <sodium.h>

enum { SEQ_BYTES = 8, MAC_BYTES = 16, BYTES = SEQ_BYTES + MAC_BYTES, MAX_MESSAGE = 64 };

static void
sign(const struct feed_scope *s, int which, const unsigned char seq[SEQ_BYTES],
    unsigned char mac[HMAC_BYTES])
{
	AUTO_RELEASE(buf_release) struct buf message = BUF(MAX_MESSAGE);

	buf_add_c(&message, "feed|");
	buf_add(&message, s->app_id.b, sizeof s->app_id.b);
	buf_add(&message, seq, SEQ_BYTES);
	hmac_sha256(pepper_key(s->keys, which), buf_str(&message), mac);
}

const char *
feed_cursor_format(const struct feed_scope *s, int64_t seq, char out[FEED_CURSOR_BYTES])
{
	unsigned char bytes[BYTES], mac[HMAC_BYTES];

	for (int i = 0; i < SEQ_BYTES; i++)
		bytes[i] = (unsigned char)((uint64_t)seq >> (56 - 8 * i));
	sign(s, 0, bytes, mac);
	memcpy(bytes + SEQ_BYTES, mac, MAC_BYTES);
	return sodium_bin2base64(
	    out, FEED_CURSOR_BYTES, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool
feed_cursor_parse(const struct feed_scope *s, struct str text, int64_t *seq)
{
	AUTO_RELEASE(buf_release) struct buf bytes = BUF(BYTES);
	unsigned char mac[HMAC_BYTES];
	uint64_t n = 0;
	bool fits = false;

	if (text.n != FEED_CURSOR_BYTES - 1 || !base64url_decode(text, &bytes))
		return false;
	for (int i = 0; i < PEPPERS && !fits; i++) {
		sign(s, i, (const unsigned char *)bytes.p, mac);
		fits = sodium_memcmp(bytes.p + SEQ_BYTES, mac, MAC_BYTES) == 0;
	}
	if (!fits)
		return false;
	for (int i = 0; i < SEQ_BYTES; i++)
		n = n << 8 | (unsigned char)bytes.p[i];
	*seq = (int64_t)n;
	return true;
}

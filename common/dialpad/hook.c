#include "common/dialpad/hook.h"

#include "common/crypto/hmac.h"

#include <sodium.h>

bool
hook_parse(struct str app_id, struct str number, struct hook *out)
{
	char canonical[UUID_TEXT_BYTES];
	struct uuid id;
	int64_t n;

	if (!uuid_parse(app_id, &id) || !str_eq(app_id, str_of(uuid_format(id, canonical))))
		return false;
	if (number.n == 0 || number.p[0] == '0' || !str_to_i64(number, 1, INT32_MAX, &n))
		return false;
	*out = (struct hook){ .app_id = id, .number = (int32_t)n };
	return true;
}

void
hook_path(struct hook h, struct buf *out)
{
	char id[UUID_TEXT_BYTES];

	buf_add_fmt(out, "/webhooks/dialpad/%s/%d", uuid_format(h.app_id, id), h.number);
}

void
hook_secret(struct str master_key, struct hook h, char out[HOOK_SECRET_BYTES])
{
	AUTO_RELEASE(buf_release) struct buf message = BUF(80);
	unsigned char mac[HMAC_BYTES];
	char id[UUID_TEXT_BYTES];

	buf_add_c(&message, "cti-hook-v1|");
	buf_add_c(&message, uuid_format(h.app_id, id));
	buf_add_char(&message, '|');
	buf_add_i64(&message, h.number);
	hmac_sha256(master_key, buf_str(&message), mac);
	sodium_bin2base64(
	    out, HOOK_SECRET_BYTES, mac, sizeof mac, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(mac, sizeof mac);
}

void
hook_fingerprint(struct str master_key, char out[HOOK_FINGERPRINT_BYTES])
{
	unsigned char mac[HMAC_BYTES];

	hmac_sha256(master_key, STR("cti-master-key-fingerprint"), mac);
	sodium_bin2hex(out, HOOK_FINGERPRINT_BYTES, mac, (HOOK_FINGERPRINT_BYTES - 1) / 2);
}

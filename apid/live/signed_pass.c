#include "apid/live/signed_pass.h"

#include "common/base/clock.h"
#include "common/crypto/jws.h"
#include "common/crypto/jws_make.h"
#include "common/json/json_in.h"

#include <sodium.h>

enum { MAX_CLAIMS_BYTES = 1024 };

/* What is derived from the pepper, and the audience. */
static const char *const PURPOSES[] = { "cti-ws-ticket", "cti-live-token" };

enum err_code
signed_pass_make(const struct pepper *pepper, enum signed_kind kind, const struct signed_pass *p,
    struct buf *out, struct err *e)
{
	struct pepper_keys keys;
	char app[UUID_TEXT_BYTES];
	const struct jws_claim claims[] = {
		{ "aud", PURPOSES[kind] },
		{ "sub", uuid_format(p->app_id, app) },
		{ "jti", p->id },
		{ "key", p->key_id },
	};
	enum err_code rc;

	pepper_derive(pepper, PURPOSES[kind], &keys);
	rc = jws_make(
	    pepper_key(&keys, 0), claims, sizeof claims / sizeof claims[0], p->expires_s, out, e);
	sodium_memzero(&keys, sizeof keys);
	return rc;
}

/* A copy of a claim that is a text and fits. */
static bool
copy_claim(const struct json *claims, const char *name, char *out, size_t room)
{
	struct str s;

	if (!json_get_str(claims, name, &s) || s.n >= room)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static bool
read_claims(const struct json *claims, enum signed_kind kind, struct signed_pass *p)
{
	struct str audience, app;

	return json_get_str(claims, "aud", &audience) && str_eq(audience, str_of(PURPOSES[kind]))
	    && json_get_str(claims, "sub", &app) && uuid_parse(app, &p->app_id)
	    && copy_claim(claims, "jti", p->id, sizeof p->id)
	    && copy_claim(claims, "key", p->key_id, sizeof p->key_id)
	    && json_get_i64(claims, "exp", &p->expires_s) && p->expires_s > clock_wall_ms() / 1000;
}

bool
signed_pass_read(
    const struct pepper *pepper, enum signed_kind kind, struct str text, struct signed_pass *out)
{
	AUTO_RELEASE(buf_release) struct buf bytes = BUF(MAX_CLAIMS_BYTES);
	AUTO(json) struct json *claims = NULL;
	struct pepper_keys derived;
	const struct str keys[PEPPERS] = { pepper_key(&derived, 0), pepper_key(&derived, 1) };
	struct err e;
	int which;
	bool is_genuine;

	pepper_derive(pepper, PURPOSES[kind], &derived);
	is_genuine = jws_verify(text, keys, PEPPERS, &which, &bytes, &e) == ERR_OK
	    && json_parse(buf_str(&bytes), &claims, &e) == ERR_OK;
	sodium_memzero(&derived, sizeof derived);
	return is_genuine && read_claims(claims, kind, out);
}

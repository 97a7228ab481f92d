#include "apid/oauth/link.h"

#include "common/base/clock.h"
#include "common/crypto/jws.h"
#include "common/crypto/jws_make.h"
#include "common/json/json_in.h"

#include <sodium.h>

/* What is derived from the pepper, and the audience. */
#define PURPOSE "cti-connect-link"

enum { MAX_CLAIMS_BYTES = 1024 };

enum err_code
link_make(const struct pepper *pepper, struct uuid app_id, int64_t expires_s, struct buf *out,
    struct err *e)
{
	struct pepper_keys keys;
	char app[UUID_TEXT_BYTES];
	const struct jws_claim claims[] = {
		{ "aud", PURPOSE },
		{ "sub", uuid_format(app_id, app) },
	};
	enum err_code rc;

	pepper_derive(pepper, PURPOSE, &keys);
	rc = jws_make(
	    pepper_key(&keys, 0), claims, sizeof claims / sizeof claims[0], expires_s, out, e);
	sodium_memzero(&keys, sizeof keys);
	return rc;
}

static enum err_code
check_claims(const struct json *claims, struct uuid app_id, struct err *e)
{
	struct str audience, app;
	struct uuid id;
	int64_t expires_s;

	if (!json_get_str(claims, "aud", &audience) || !str_eq(audience, STR(PURPOSE))
	    || !json_get_str(claims, "sub", &app) || !uuid_parse(app, &id)
	    || !json_get_i64(claims, "exp", &expires_s))
		return err_set(e, ERR_FORBIDDEN, "link: it is not one of this server's");
	if (!uuid_eq(id, app_id))
		return err_set(e, ERR_FORBIDDEN, "link: it was made for another app");
	if (expires_s <= clock_wall_ms() / 1000)
		return err_set(
		    e, ERR_FORBIDDEN, "link: it has expired; ask an administrator for a new one");
	return ERR_OK;
}

enum err_code
link_check(const struct pepper *pepper, struct uuid app_id, struct str link, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf bytes = BUF(MAX_CLAIMS_BYTES);
	AUTO(json) struct json *claims = NULL;
	struct pepper_keys derived;
	const struct str keys[PEPPERS] = { pepper_key(&derived, 0), pepper_key(&derived, 1) };
	struct err why;
	int which;
	bool is_genuine;

	pepper_derive(pepper, PURPOSE, &derived);
	is_genuine = jws_verify(link, keys, PEPPERS, &which, &bytes, &why) == ERR_OK
	    && json_parse(buf_str(&bytes), &claims, &why) == ERR_OK;
	sodium_memzero(&derived, sizeof derived);
	if (!is_genuine)
		return err_set(e, ERR_FORBIDDEN, "link: it is not one of this server's");
	return check_claims(claims, app_id, e);
}

#include "apid/oauth/login.h"

#include <sodium.h>
#include <stdio.h>

enum { RANDOM_BYTES = 32, NAME_HASH_BYTES = 8, NAME_BYTES = 64, MAX_COOKIE_BYTES = 256 };

static void
encode(const unsigned char bytes[RANDOM_BYTES], char out[LOGIN_SECRET_BYTES])
{
	(void)sodium_bin2base64(
	    out, LOGIN_SECRET_BYTES, bytes, RANDOM_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void
make_secret(char out[LOGIN_SECRET_BYTES])
{
	unsigned char bytes[RANDOM_BYTES];

	randombytes_buf(bytes, sizeof bytes);
	encode(bytes, out);
	sodium_memzero(bytes, sizeof bytes);
}

void
login_hash(struct str secret, unsigned char out[LOGIN_HASH_BYTES])
{
	(void)crypto_hash_sha256(out, (const unsigned char *)secret.p, secret.n);
}

void
login_begin(struct login *l)
{
	unsigned char hash[LOGIN_HASH_BYTES];

	make_secret(l->state);
	make_secret(l->cookie);
	make_secret(l->verifier);
	login_hash(str_of(l->verifier), hash);
	encode(hash, l->challenge);
}

void
login_wipe(struct login *l)
{
	sodium_memzero(l, sizeof *l);
}

/* ---- the cookie ---- */

/* With "__Host-" a browser takes it from this host alone, over https. */
static void
cookie_name(struct str state, bool secure, char out[NAME_BYTES])
{
	unsigned char hash[LOGIN_HASH_BYTES];
	char hex[2 * NAME_HASH_BYTES + 1];

	login_hash(state, hash);
	(void)sodium_bin2hex(hex, sizeof hex, hash, NAME_HASH_BYTES);
	(void)snprintf(out, NAME_BYTES, "%scti_login_%s", secure ? "__Host-" : "", hex);
}

void
login_cookie_set(struct http_res *res, struct str state, struct str value, bool secure)
{
	AUTO_RELEASE(buf_release) struct buf line = BUF(MAX_COOKIE_BYTES);
	char name[NAME_BYTES];

	cookie_name(state, secure, name);
	buf_add_fmt(&line, "%s=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s", name,
	    STR_ARG(value), value.n > 0 ? LOGIN_SECONDS : 0, secure ? "; Secure" : "");
	http_header_add(res, "Set-Cookie", buf_str(&line));
	buf_wipe(&line);
}

static struct str
find_cookie(struct str header, struct str name)
{
	struct str item, value;

	while (header.n > 0) {
		item = str_trim(str_cut(header, ';', &header));
		if (str_eq(str_cut(item, '=', &value), name))
			return value;
	}
	return STR_NONE;
}

struct str
login_cookie_get(struct http_req *req, struct str state, bool secure)
{
	struct str header, value = STR_NONE;
	char name[NAME_BYTES];

	cookie_name(state, secure, name);
	for (int i = 0; value.p == NULL; i++) {
		header = http_header_nth(req, "Cookie", i);
		if (header.p == NULL)
			break;
		value = find_cookie(header, str_of(name));
	}
	return value;
}

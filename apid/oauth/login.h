/*
 * login - a login at Dialpad under way: from /connect to the one /callback that may end it.
 *
 * Use:      login_begin() makes the secrets of a login; login_cookie_*() bind it to the browser;
 *           login_db.h remembers it, for any replica.
 * Owns:     secrets in plain structs: login_wipe().
 * Threads:  pure.
 * Errors:   none.
 * Not for:  tokens.
 *
 * The state travels through the browser and Dialpad; the database has its hash. A cookie, whose name
 * is made from that hash so that logins in two tabs do not disturb each other, has a second secret:
 * who steals a callback's URL, or talks somebody into following one, lacks it.
 */
#ifndef CTI_APID_OAUTH_LOGIN_H
#define CTI_APID_OAUTH_LOGIN_H

#include "common/http/http.h"

enum {
	LOGIN_SECRET_BYTES = 44, /* 32 random bytes as base64url, and a NUL */
	LOGIN_HASH_BYTES = 32,
	LOGIN_SECONDS = 600,
};

struct login {
	char state[LOGIN_SECRET_BYTES], cookie[LOGIN_SECRET_BYTES];
	char verifier[LOGIN_SECRET_BYTES], challenge[LOGIN_SECRET_BYTES]; /* PKCE, S256 */
};

void login_begin(struct login *l);
void login_wipe(struct login *l);

/* SHA-256 of a state or a cookie: what is stored of it. */
void login_hash(struct str secret, unsigned char out[LOGIN_HASH_BYTES]);

/* `secure`: only over https, as in production. An empty value ends the cookie. */
void login_cookie_set(struct http_res *res, struct str state, struct str value, bool secure);
/* The cookie that belongs to this state; STR_NONE: the browser has none. */
struct str login_cookie_get(struct http_req *req, struct str state, bool secure);

#endif

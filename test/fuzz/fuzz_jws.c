/*
 * common/crypto/jws. The first byte says what the rest is:
 *   0  a token as it stands
 *   1  a header, a line feed, claims: both are encoded and signed here
 *   2  the part that is signed, as it stands: the right signature is added
 * Whatever is accepted must carry the right signature, in its one spelling.
 */
#include "test/fuzz/fuzz.h"

#include "common/crypto/jws.h"

#include <sodium.h>

#define KEY STR("a secret of the fuzzer")

enum { AS_IT_STANDS, SIGN_PARTS, SIGN_WHOLE, KINDS };

static void
make_token(unsigned kind, struct str in, struct buf *token)
{
	if (kind == SIGN_PARTS) {
		struct str header = fuzz_line(&in);

		fuzz_token(header, in, KEY, token);
		return;
	}
	buf_add_str(token, in);
	if (kind == SIGN_WHOLE)
		fuzz_sign(token, KEY);
}

/* By another way than jws.c: the token is made again from what was read of it. */
static void
check_accepted(struct str token, struct str claims)
{
	AUTO_RELEASE(buf_release) struct buf again = BUF(FUZZ_TOKEN_ROOM);
	struct str rest, header = str_cut(token, '.', &rest);

	buf_add_str(&again, header);
	buf_add_char(&again, '.');
	base64url_encode(claims, &again);
	fuzz_sign(&again, KEY);
	FUZZ_CHECK(str_eq(token, buf_str(&again)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct str keys[] = { STR("another secret"), KEY };
	AUTO_RELEASE(buf_release) struct buf token = BUF(FUZZ_TOKEN_ROOM);
	AUTO_RELEASE(buf_release) struct buf claims = BUF(n);
	struct str in = { (const char *)data, n };
	unsigned kind = fuzz_byte(&in) % KINDS;
	AUTO(str) char *exact = NULL;
	struct str given;
	struct err e;
	int which = -1;

	FUZZ_CHECK(sodium_init() >= 0);
	make_token(kind, in, &token);
	exact = fuzz_exact(buf_str(&token));
	given = (struct str){ exact, token.n };
	if (jws_verify(given, keys, 2, &which, &claims, &e) == ERR_OK) {
		FUZZ_CHECK(which == 1);
		check_accepted(given, buf_str(&claims));
	} else {
		FUZZ_CHECK(which == -1 && (e.code == ERR_UNAUTHORIZED || e.code == ERR_TOO_LARGE));
	}
	return 0;
}

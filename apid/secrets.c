#include "apid/secrets.h"

#include <sodium.h>

enum { SECRET_BYTES = 32, SECRET_CHARS = 43 };

static const char *const NAMES[] = {
	"WEBHOOK_MASTER_KEY",
	"TOKEN_ENCRYPTION_KEY",
	"API_KEY_PEPPER",
	"INTERNAL_API_SECRET",
	"DIALPAD_WEBHOOK_SECRET",
};

bool
secrets_print(FILE *out)
{
	unsigned char bytes[SECRET_BYTES];
	char text[SECRET_CHARS + 1];

	for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
		randombytes_buf(bytes, sizeof bytes);
		sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		(void)fprintf(out, "%s=%s\n", NAMES[i], text);
	}
	sodium_memzero(bytes, sizeof bytes);
	sodium_memzero(text, sizeof text);
	return fflush(out) == 0 && ferror(out) == 0;
}

#include "common/base/log_redact.h"

#include "common/base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	MIN_SECRET_BYTES = 8, /* shorter values would star out ordinary words */
	MIN_KEY_BYTES = 24,   /* "cti_worker" is a role, "cti_live_<id>_<secret>" a key */
	MIN_JWS_BYTES = 16,
};

struct secret {
	struct secret *next;
	size_t n;
	char bytes[];
};

/* Longest first: a secret that begins like a longer one must not leave the rest of that readable. */
static struct secret *secrets;
static pthread_rwlock_t secrets_lock = PTHREAD_RWLOCK_INITIALIZER;

/* Where a secret of this value stands, or has to be inserted. */
static struct secret **
place_of(struct str value)
{
	struct secret **at = &secrets;

	while (*at != NULL && (*at)->n > value.n)
		at = &(*at)->next;
	while (*at != NULL && (*at)->n == value.n && memcmp((*at)->bytes, value.p, value.n) != 0)
		at = &(*at)->next;
	return at;
}

void
log_register_secret(struct str value)
{
	struct secret **at, *s;

	if (value.n < MIN_SECRET_BYTES)
		return;
	pthread_rwlock_wrlock(&secrets_lock);
	at = place_of(value);
	if (*at == NULL || (*at)->n != value.n) {
		s = malloc(sizeof *s + value.n);
		if (s == NULL)
			abort();
		s->n = value.n;
		memcpy(s->bytes, value.p, value.n);
		s->next = *at;
		*at = s;
	}
	pthread_rwlock_unlock(&secrets_lock);
}

/* Replace the n bytes at `at` by stars, at most three; returns the new length of the text. */
static size_t
star_out(char *text, size_t length, size_t at, size_t n)
{
	size_t stars = n < 3 ? n : 3;

	memset(text + at, '*', stars);
	memmove(text + at + stars, text + at + n, length - at - n);
	return length - n + stars;
}

static size_t
redact_secrets(char *text, size_t n)
{
	const char *hit;

	pthread_rwlock_rdlock(&secrets_lock);
	for (const struct secret *s = secrets; s != NULL; s = s->next)
		while ((hit = memmem(text, n, s->bytes, s->n)) != NULL)
			n = star_out(text, n, (size_t)(hit - text), s->n);
	pthread_rwlock_unlock(&secrets_lock);
	return n;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of the leading letters, digits and characters of `more`. */
static size_t
span(struct str s, const char *more)
{
	size_t n = 0;

	while (n < s.n && (is_alnum(s.p[n]) || (s.p[n] != '\0' && strchr(more, s.p[n]) != NULL)))
		n++;
	return n;
}

/* "cti_live_<key id>_<secret>": how long a key begins `s`, or 0. */
static size_t
api_key_length(struct str s)
{
	size_t n;

	if (!str_starts(s, STR("cti_")))
		return 0;
	n = span(s, "_-");
	return n >= MIN_KEY_BYTES ? n : 0;
}

/* Three parts of base64url, the first being an object: it begins with {". A cut one counts too. */
static size_t
jws_length(struct str s)
{
	size_t n;

	if (!str_starts(s, STR("eyJ")))
		return 0;
	n = span(s, "_-=.");
	return n >= MIN_JWS_BYTES && memchr(s.p, '.', n) != NULL ? n : 0;
}

/* Length of the token after "Bearer ", with *skip set to where it begins; or 0. */
static size_t
bearer_length(struct str s, size_t *skip)
{
	const struct str word = STR("bearer");
	struct str rest;

	if (!str_starts_nocase(s, word))
		return 0;
	rest = (struct str){ s.p + word.n, s.n - word.n };
	while (rest.n > 0 && rest.p[0] == ' ')
		rest = (struct str){ rest.p + 1, rest.n - 1 };
	*skip = s.n - rest.n;
	return *skip > word.n ? span(rest, "-._~+/=") : 0;
}

static size_t
redact_patterns(char *text, size_t n)
{
	size_t skip, length;
	struct str rest;

	for (size_t i = 0; i < n; i += skip + 1) {
		skip = 0;
		if (strchr("cebB", text[i]) == NULL) /* none of them begins so: nearly always */
			continue;
		rest = (struct str){ text + i, n - i };
		length = api_key_length(rest);
		if (length == 0)
			length = jws_length(rest);
		if (length == 0)
			length = bearer_length(rest, &skip);
		if (length == 0)
			skip = 0;
		else
			n = star_out(text, n, i + skip, length);
	}
	return n;
}

size_t
log_redact(char *text, size_t n)
{
	return redact_patterns(text, redact_secrets(text, n));
}

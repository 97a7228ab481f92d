#include "common/base/uuid.h"

#include "common/base/clock.h"
#include "common/base/sha1.h"

#include <sodium.h>
#include <stdatomic.h>

enum { COUNTER_BITS = 12 };

/* The last (milliseconds << COUNTER_BITS | counter) given out. */
static _Atomic(uint64_t) last_stamp;

static bool
is_hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
uuid_parse(struct str s, struct uuid *out)
{
	struct uuid u = UUID_NIL;
	size_t digits = 0;
	int v;

	if (s.n != UUID_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (is_hyphen_at(i)) {
			if (s.p[i] != '-')
				return false;
			continue;
		}
		v = hex_value(s.p[i]);
		if (v < 0)
			return false;
		u.b[digits / 2] = (uint8_t)(u.b[digits / 2] << 4 | v);
		digits++;
	}
	*out = u;
	return true;
}

const char *
uuid_format(struct uuid u, char out[UUID_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	char *at = out;

	for (size_t i = 0; i < sizeof u.b; i++) {
		*at++ = hex[u.b[i] >> 4];
		*at++ = hex[u.b[i] & 15];
		if (is_hyphen_at((size_t)(at - out)))
			*at++ = '-';
	}
	*at = '\0';
	return out;
}

bool
uuid_eq(struct uuid a, struct uuid b)
{
	return uuid_cmp(a, b) == 0;
}

int
uuid_cmp(struct uuid a, struct uuid b)
{
	return memcmp(a.b, b.b, sizeof a.b);
}

static void
set_version(struct uuid *u, int version)
{
	u->b[6] = (uint8_t)((u->b[6] & 0x0f) | version << 4);
	u->b[8] = (uint8_t)((u->b[8] & 0x3f) | 0x80);
}

/*
 * A stamp greater than any before it. A new millisecond starts its counter in the lower half, at
 * random; when the clock stands still or goes back, or the counter runs over, the last one plus
 * one is taken, which at worst borrows a millisecond from the future.
 */
static uint64_t
next_stamp(uint16_t random)
{
	uint64_t now = (uint64_t)clock_wall_ms() << COUNTER_BITS | (random & 0x7ff);
	uint64_t last = atomic_load_explicit(&last_stamp, memory_order_relaxed), next;

	do {
		next = now > last ? now : last + 1;
	} while (!atomic_compare_exchange_weak(&last_stamp, &last, next));
	return next;
}

/* Asking the kernel for each id would be a system call each. */
static struct uuid
random_bytes(void)
{
	static _Thread_local struct uuid ahead[16];
	static _Thread_local size_t left;

	if (left == 0) {
		randombytes_buf(ahead, sizeof ahead);
		left = sizeof ahead / sizeof ahead[0];
	}
	return ahead[--left];
}

struct uuid
uuid_v7(void)
{
	struct uuid u = random_bytes();
	uint64_t stamp, ms;
	uint16_t start;

	memcpy(&start, u.b, sizeof start); /* this part is overwritten below */
	stamp = next_stamp(start);
	ms = stamp >> COUNTER_BITS;
	for (int i = 6; i-- > 0; ms >>= 8)
		u.b[i] = (uint8_t)ms;
	u.b[6] = (uint8_t)(stamp >> 8);
	u.b[7] = (uint8_t)stamp;
	set_version(&u, 7);
	return u;
}

struct uuid
uuid_v5(struct uuid space, struct str name)
{
	struct sha1 s;
	uint8_t digest[SHA1_BYTES];
	struct uuid u;

	sha1_init(&s);
	sha1_add(&s, space.b, sizeof space.b);
	sha1_add(&s, name.p, name.n);
	sha1_end(&s, digest);
	memcpy(u.b, digest, sizeof u.b);
	set_version(&u, 5);
	return u;
}

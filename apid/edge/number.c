#include "apid/edge/number.h"

enum {
	MAX_DIGITS = 15, /* of E.164 */
	MAX_LOCAL_DIGITS = 8,
};

static bool
is_digits(struct str s, size_t most)
{
	if (s.n == 0 || s.n > most)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

bool
number_is_e164(struct str s)
{
	return s.n > 0 && s.p[0] == '+' && is_digits((struct str){ s.p + 1, s.n - 1 }, MAX_DIGITS);
}

bool
number_is_local(struct str s)
{
	return is_digits(s, MAX_LOCAL_DIGITS);
}

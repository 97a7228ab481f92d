#include "common/json/utf8.h"

#include <stdint.h>

size_t
utf8_sequence(const char *p, size_t n)
{
	const uint8_t *u = (const uint8_t *)p;
	uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte */
	size_t len;

	if (n < 2 || u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (u[0] == 0xe0)
		low = 0xa0;
	else if (u[0] == 0xed)
		high = 0x9f;
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	if (n < len || u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

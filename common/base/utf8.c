#include "common/base/utf8.h"

static const struct lead {
	uint8_t from, to; /* of the first byte */
	uint8_t n;
	uint8_t second_from, second_to;
} leads[] = {
	{ 0x00, 0x7f, 1, 0x00, 0x00 }, { 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },                                /* below: overlong */
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, /* above: surrogates */
	{ 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf }, /* below: overlong */
	{ 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f }, /* above: beyond U+10FFFF */
};

static bool
tail_fits(const struct lead *l, const uint8_t *p)
{
	if (l->n > 1 && (p[1] < l->second_from || p[1] > l->second_to))
		return false;
	for (int i = 2; i < l->n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return false;
	return true;
}

size_t
utf8_length(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n == 0)
		return 0;
	for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
		if (p[0] >= leads[i].from && p[0] <= leads[i].to)
			return leads[i].n <= s.n && tail_fits(&leads[i], p) ? leads[i].n : 0;
	return 0;
}

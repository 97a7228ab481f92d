/* apid/edge/client_addr: whose address a request has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apid/edge/client_addr.h"

static bool
is_same(struct client_addr a, struct client_addr b)
{
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static struct client_addr
plain(const char *text)
{
	return client_addr_pick(str_of(text), STR_NONE, 0);
}

static void
trusted_proxies_are_counted_from_the_right(void **state)
{
	static const struct {
		const char *forwarded;
		int64_t hops;
		const char *is;
	} table[] = {
		{ NULL, 0, "10.0.0.1" },
		{ "1.1.1.1", 0, "10.0.0.1" },
		{ "1.1.1.1", 1, "1.1.1.1" },
		{ "6.6.6.6, 1.1.1.1", 1, "1.1.1.1" },
		{ "6.6.6.6,1.1.1.1 , 2.2.2.2", 2, "1.1.1.1" },
		{ "1.1.1.1", 3, "1.1.1.1" }, /* fewer than were promised: the farthest */
		{ NULL, 2, "10.0.0.1" },
		{ "", 2, "10.0.0.1" },
		{ "1.1.1.1:5678", 1, "1.1.1.1" },
		{ "[2001:db8::1]:443", 1, "2001:db8::1" },
		{ "unknown", 1, "10.0.0.1" },
		{ "6.6.6.6, unknown, 2.2.2.2", 3, "2.2.2.2" },
		{ "6.6.6.6,, 2.2.2.2", 3, "2.2.2.2" },
		{ ",", 1, "10.0.0.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct client_addr got =
		    client_addr_pick(STR("10.0.0.1"), str_of(table[i].forwarded), table[i].hops);

		if (!is_same(got, plain(table[i].is)))
			fail_msg("row %zu: not %s", i, table[i].is);
	}
}

static void
of_ipv6_the_first_64_bits_count(void **state)
{
	(void)state;
	assert_true(is_same(plain("2001:db8:1:2:3:4:5:6"), plain("2001:db8:1:2::")));
	assert_false(is_same(plain("2001:db8:1:2::1"), plain("2001:db8:1:3::1")));
	assert_true(is_same(plain("::ffff:1.2.3.4"), plain("1.2.3.4")));
	assert_false(is_same(plain("::ffff:1.2.3.4"), plain("::ffff:1.2.3.5")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusted_proxies_are_counted_from_the_right),
		cmocka_unit_test(of_ipv6_the_first_64_bits_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* common/base/origin: web origins, and lists of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/origin.h"

static void
an_origin_is_scheme_host_and_perhaps_a_port(void **state)
{
	static const char *const good[] = { "https://app.example", "http://localhost:3000",
		"https://a-b.example.co.uk", "http://[::1]:8080", "http://127.0.0.1",
		"chrome-extension://abcdefghijkl", "capacitor://localhost" };
	static const char *const bad[] = { "", "*", "null", "app.example", "https://",
		"https://app.example/", "https://app.example/x", "https://App.example",
		"https://app.example:", "https://app.example:0", "https://app.example:65536",
		"https://a b", "https://a,b", "https://u@app.example", "https://app.example?x",
		"https://[::1", "https://[]", "https://[::1]x", "://app.example" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!origin_is_valid(str_of(good[i])))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (origin_is_valid(str_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
}

static void
a_list_is_separated_by_commas_or_blanks(void **state)
{
	struct str list = STR(" https://a.example, https://b.example https://c.example,");

	(void)state;
	assert_true(origin_is_listed(list, STR("https://a.example")));
	assert_true(origin_is_listed(list, STR("https://b.example")));
	assert_true(origin_is_listed(list, STR("https://c.example")));
	assert_false(origin_is_listed(list, STR("https://c.exampl")));
	assert_false(origin_is_listed(list, STR("https://a.example,")));
	assert_false(origin_is_listed(list, STR_NONE));
	assert_false(origin_is_listed(STR_NONE, STR("https://a.example")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_origin_is_scheme_host_and_perhaps_a_port),
		cmocka_unit_test(a_list_is_separated_by_commas_or_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

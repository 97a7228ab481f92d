/* common/base/uuid, and common/base/sha1 below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/sha1.h"
#include "common/base/uuid.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { IN_A_ROW = 20000, THREADS = 4 };

static const struct uuid dns = { { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00,
    0xc0, 0x4f, 0xd4, 0x30, 0xc8 } };

static void
assert_sha1(const char *text, int times, const char *want)
{
	struct sha1 s;
	uint8_t digest[SHA1_BYTES];
	char hex[2 * SHA1_BYTES + 1];

	sha1_init(&s);
	for (int i = 0; i < times; i++)
		sha1_add(&s, text, strlen(text));
	sha1_end(&s, digest);
	assert_string_equal(sodium_bin2hex(hex, sizeof hex, digest, sizeof digest), want);
}

static void
sha1_gives_the_digests_of_the_standard(void **state)
{
	(void)state;
	assert_sha1("", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_sha1("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	    "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	assert_sha1(
	    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
	    "klmnopqrlmnopqrsmnopqrstnopqrstu",
	    1, "a49b2446a02c645bf419f995b67091253a04a259");
	assert_sha1("a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	assert_sha1("0123456701234567012345670123456701234567012345670123456701234567", 10,
	    "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

static void
version_5_gives_the_example_of_rfc_9562(void **state)
{
	char text[UUID_TEXT_BYTES];

	(void)state;
	assert_string_equal(uuid_format(uuid_v5(dns, STR("www.example.com")), text),
	    "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void
version_5_tells_namespaces_and_names_apart(void **state)
{
	struct uuid a = uuid_v5(dns, STR("a"));

	(void)state;
	assert_true(uuid_eq(a, uuid_v5(dns, STR("a"))));
	assert_false(uuid_eq(a, uuid_v5(dns, STR("b"))));
	assert_false(uuid_eq(a, uuid_v5(UUID_NIL, STR("a"))));
	assert_true(uuid_eq(uuid_v5(dns, STR_NONE), uuid_v5(dns, STR(""))));
}

static int64_t
time_of(struct uuid u)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | u.b[i];
	return ms;
}

static void
version_7_carries_the_time_and_the_marks_of_its_version(void **state)
{
	int64_t before = clock_wall_ms(), at;
	struct uuid u = uuid_v7();

	(void)state;
	at = time_of(u);
	assert_true(at >= before && at <= clock_wall_ms() + 1);
	assert_int_equal(u.b[6] >> 4, 7);
	assert_int_equal(u.b[8] >> 6, 2);
}

static void
version_7_made_in_a_row_is_in_order(void **state)
{
	struct uuid last = uuid_v7(), next;

	(void)state;
	for (int i = 0; i < IN_A_ROW; i++) {
		next = uuid_v7();
		assert_true(uuid_cmp(last, next) < 0);
		last = next;
	}
	/* Many in one millisecond may borrow a little from the future, never much. */
	assert_true(time_of(last) - clock_wall_ms() < 1000);
}

static void *
make_many(void *arg)
{
	struct uuid *out = arg;

	for (int i = 0; i < IN_A_ROW; i++)
		out[i] = uuid_v7();
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	return uuid_cmp(*(const struct uuid *)a, *(const struct uuid *)b);
}

static void
version_7_of_many_threads_is_in_order_per_thread_and_never_twice(void **state)
{
	struct uuid *all = calloc(THREADS * IN_A_ROW, sizeof *all);
	pthread_t threads[THREADS];

	(void)state;
	assert_non_null(all);
	for (int t = 0; t < THREADS; t++)
		assert_int_equal(
		    pthread_create(&threads[t], NULL, make_many, all + t * IN_A_ROW), 0);
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	for (int i = 1; i < THREADS * IN_A_ROW; i++)
		if (i % IN_A_ROW != 0)
			assert_true(uuid_cmp(all[i - 1], all[i]) < 0);
	qsort(all, THREADS * IN_A_ROW, sizeof *all, compare);
	/* The stamp alone (first eight bytes) differs: order does not hang on the random part. */
	for (int i = 1; i < THREADS * IN_A_ROW; i++)
		assert_true(memcmp(all[i - 1].b, all[i].b, 8) < 0);
	free(all);
}

static void
text_in_either_case_is_parsed_and_printed_in_lower_case(void **state)
{
	char text[UUID_TEXT_BYTES];
	struct uuid u, v;

	(void)state;
	assert_true(uuid_parse(STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &u));
	assert_true(uuid_parse(STR("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"), &v));
	assert_true(uuid_eq(u, dns));
	assert_true(uuid_eq(v, dns));
	assert_string_equal(uuid_format(v, text), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	assert_string_equal(uuid_format(UUID_NIL, text), "00000000-0000-0000-0000-000000000000");
}

static void
texts_that_are_no_uuid_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"6ba7b810",
		"6ba7b8109dad11d180b400c04fd430c8",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c80",
		"6ba7b810-9dad-11d1-80b4-00c04fd430cg",
		"6ba7b8109-dad-11d1-80b4-00c04fd430c8",
		"{ba7b810-9dad-11d1-80b4-00c04fd430c}",
		"6ba7b810_9dad_11d1_80b4_00c04fd430c8",
		" 6ba7b810-9dad-11d1-80b4-00c04fd430c",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c ",
		"6ba7b810--dad-11d1-80b4-00c04fd430c8",
	};
	struct uuid u = dns;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (uuid_parse(str_of(bad[i]), &u))
			fail_msg("accepted: %s", bad[i]);
		assert_true(uuid_eq(u, dns));
	}
	assert_false(uuid_parse(STR_NONE, &u));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha1_gives_the_digests_of_the_standard),
		cmocka_unit_test(version_5_gives_the_example_of_rfc_9562),
		cmocka_unit_test(version_5_tells_namespaces_and_names_apart),
		cmocka_unit_test(version_7_carries_the_time_and_the_marks_of_its_version),
		cmocka_unit_test(version_7_made_in_a_row_is_in_order),
		cmocka_unit_test(version_7_of_many_threads_is_in_order_per_thread_and_never_twice),
		cmocka_unit_test(text_in_either_case_is_parsed_and_printed_in_lower_case),
		cmocka_unit_test(texts_that_are_no_uuid_are_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

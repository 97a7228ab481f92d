/* apid/access/key_cache: what is known of keys, for how long, and when they were used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apid/access/key_cache.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

enum { MOST = 1000, NOW = 1000000, THREADS = 4 };

struct fixture {
	struct key_cache *cache;
	struct arena arena;
	struct key_facts got;
};

static int
start(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .cache = key_cache_new(MOST) };
	arena_init(&f.arena);
	*state = &f;
	return sodium_init() < 0 ? -1 : 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	key_cache_free(f->cache);
	arena_release(&f->arena);
	return 0;
}

static void
put(struct fixture *f, const char *id, const char *origins)
{
	struct key_facts facts = { .is_live = true, .expires_ms = INT64_MAX };

	facts.hash[0] = (unsigned char)id[0];
	facts.allowed_origins = str_of(origins);
	key_cache_put(f->cache, str_of(id), &facts, key_cache_epoch(f->cache), NOW);
}

static bool
get(struct fixture *f, const char *id, int64_t now_ms)
{
	return key_cache_get(f->cache, str_of(id), now_ms, &f->arena, &f->got);
}

static void
what_was_put_is_found_for_a_while(void **state)
{
	struct fixture *f = *state;

	assert_false(get(f, "a", NOW));
	put(f, "a", "https://a.example");
	assert_true(get(f, "a", NOW + KEY_CACHE_VALID_MS - 1));
	assert_true(f->got.is_live && f->got.hash[0] == 'a');
	assert_true(str_eq(f->got.allowed_origins, STR("https://a.example")));
	assert_false(get(f, "a", NOW + KEY_CACHE_VALID_MS));
	assert_false(get(f, "b", NOW));
	put(f, "a", NULL);
	assert_true(get(f, "a", NOW));
	assert_int_equal(f->got.allowed_origins.n, 0);
}

static void
when_it_is_to_forget_nothing_is_found_and_no_late_answer_is_kept(void **state)
{
	struct fixture *f = *state;
	uint64_t before = key_cache_epoch(f->cache);
	struct key_facts late = { .is_live = true };

	put(f, "a", NULL);
	key_cache_forget(f->cache);
	assert_false(get(f, "a", NOW));
	key_cache_put(f->cache, STR("a"), &late, before, NOW);
	assert_false(get(f, "a", NOW));
	put(f, "a", NULL);
	assert_true(get(f, "a", NOW));
}

static void
the_hash_of_a_key_is_recalled_long_after(void **state)
{
	struct fixture *f = *state;
	unsigned char hash[HMAC_BYTES];

	assert_false(key_cache_recall(f->cache, STR("a"), hash));
	put(f, "a", NULL);
	key_cache_forget(f->cache);
	assert_false(get(f, "a", NOW + KEY_CACHE_VALID_MS));
	assert_true(key_cache_recall(f->cache, STR("a"), hash));
	assert_memory_equal(hash, "a", 2);
	assert_false(key_cache_recall(f->cache, STR("b"), hash));
}

static void
it_holds_so_many_keys_and_then_the_oldest_goes(void **state)
{
	struct fixture *f = *state;
	char id[16];

	for (int i = 0; i < MOST + 10; i++) {
		(void)snprintf(id, sizeof id, "k%d", i);
		put(f, id, i % 2 == 0 ? "https://a.example" : NULL);
	}
	for (int i = 0; i < MOST + 10; i++) {
		(void)snprintf(id, sizeof id, "k%d", i);
		assert_int_equal(get(f, id, NOW), i >= 10);
	}
}

static void
the_last_use_of_each_key_is_taken_out_once(void **state)
{
	struct fixture *f = *state;
	struct key_use uses[2];
	int place = 0, none = 0;

	put(f, "a", NULL);
	put(f, "b", NULL);
	put(f, "c", NULL);
	key_cache_mark_used(f->cache, STR("a"), 5);
	key_cache_mark_used(f->cache, STR("a"), 7);
	key_cache_mark_used(f->cache, STR("a"), 6);
	key_cache_mark_used(f->cache, STR("c"), 8);
	key_cache_mark_used(f->cache, STR("unknown"), 9);
	key_cache_forget(f->cache);
	assert_int_equal(key_cache_take_used(f->cache, &place, uses, 1), 1);
	assert_string_equal(uses[0].key_id, "a");
	assert_int_equal(uses[0].at_ms, 7);
	assert_int_equal(key_cache_take_used(f->cache, &place, uses, 2), 1);
	assert_string_equal(uses[0].key_id, "c");
	assert_int_equal(key_cache_take_used(f->cache, &place, uses, 2), 0);
	assert_int_equal(key_cache_take_used(f->cache, &none, uses, 2), 0);
}

static void *
use_all(void *arg)
{
	struct fixture own = *(struct fixture *)arg;
	char id[16];

	arena_init(&own.arena);
	for (int i = 0; i < 3 * MOST; i++) {
		(void)snprintf(id, sizeof id, "k%d", i % (2 * MOST));
		if (!get(&own, id, NOW))
			put(&own, id, "https://a.example");
		key_cache_mark_used(own.cache, str_of(id), i);
		if (i % MOST == 0)
			key_cache_forget(own.cache);
	}
	arena_release(&own.arena);
	return NULL;
}

static void
many_threads_may_use_it_at_once(void **state)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_all, *state), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_found_for_a_while),
		TEST(when_it_is_to_forget_nothing_is_found_and_no_late_answer_is_kept),
		TEST(the_hash_of_a_key_is_recalled_long_after),
		TEST(it_holds_so_many_keys_and_then_the_oldest_goes),
		TEST(the_last_use_of_each_key_is_taken_out_once),
		TEST(many_threads_may_use_it_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ingestd/spool: files that come back in order, limits, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "test/unit/spool_kit.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- the disk ---- */

enum { NEVER = -1 };
static struct {
	int asked;    /* how often for durability */
	int fails_at; /* which of these times it is refused, from 0 on; or NEVER */
	char seen[200];
} disk = { .fails_at = NEVER };

/* In the place of libc's: what is durable by then, as the directory shows it. */
int
fsync(int fd)
{
	char link[40], path[300];
	struct stat st;
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	assert_true(n > 0 && fstat(fd, &st) == 0);
	path[n] = '\0';
	(void)snprintf(disk.seen + strlen(disk.seen), sizeof disk.seen - strlen(disk.seen), "%s;",
	    S_ISDIR(st.st_mode) ? "directory" : strrchr(path, '.'));
	if (disk.asked++ != disk.fails_at)
		return 0;
	errno = EIO;
	return -1;
}

/* First the file, still without its name; then that it is in the directory under it. */
static void
a_file_is_durable_before_it_counts(void **state)
{
	struct spool *s = open_with(opts(*state));

	disk.seen[0] = '\0';
	must_write(s, "one");
	assert_string_equal(disk.seen, ".tmp;directory;");
	spool_close(s);
}

static void
what_the_disk_does_not_confirm_is_not_written(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct spool *s = open_with(opts(*state));
		struct err e;

		disk.asked = 0;
		disk.fails_at = i;
		assert_int_equal(write_claims(s, STR("one"), &e), ERR_UNAVAILABLE);
		disk.fails_at = NEVER;
		assert_non_null(strstr(e.msg, "Input/output error"));
		assert_int_equal(state_of(s).files, 0);
		assert_int_equal(state_of(s).bytes, 0);
		assert_int_equal(count_files(*state, ".tmp", false), 0);
		assert_int_equal(count_files(*state, ".spool", false), 0);
		spool_close(s);
	}
}

/* ---- order ---- */

static void
files_come_back_in_order_and_go_when_removed(void **state)
{
	struct spool *s = open_with(opts(*state));
	int64_t first;

	assert_int_equal(oldest(s), 0);
	must_write(s, "one");
	must_write(s, "two");
	must_write(s, "three");
	assert_int_equal(count_files(*state, ".spool", false), 3);
	assert_int_equal(state_of(s).files, 3);
	assert_true(state_of(s).oldest_at > 0);
	first = must_take(s, "one");
	assert_int_equal(must_take(s, "two"), first + 1);
	assert_int_equal(must_take(s, "three"), first + 2);
	assert_int_equal(oldest(s), 0);
	assert_int_equal(state_of(s).files, 0);
	assert_int_equal(state_of(s).bytes, 0);
	assert_int_equal(count_files(*state, ".spool", false), 0);
	spool_close(s);
}

static void
a_file_that_was_only_read_stays(void **state)
{
	struct spool *s = open_with(opts(*state));
	AUTO_RELEASE(arena_release) struct arena a;
	const struct event *const *events;
	struct err e;
	int n;

	arena_init(&a);
	must_write(s, "kept");
	assert_int_equal(spool_read(s, oldest(s), &a, &events, &n, &e), ERR_OK);
	spool_close(s);
	s = open_with(opts(*state));
	(void)must_take(s, "kept");
	spool_close(s);
}

static void
numbers_count_up_when_the_directory_is_opened_again(void **state)
{
	struct spool *s = open_with(opts(*state));
	int64_t first;

	must_write(s, "one");
	must_write(s, "two");
	first = must_take(s, "one");
	spool_close(s);
	s = open_with(opts(*state));
	assert_int_equal(state_of(s).files, 1);
	must_write(s, "three");
	assert_int_equal(must_take(s, "two"), first + 1);
	assert_int_equal(must_take(s, "three"), first + 2);
	spool_close(s);
}

static void
a_wait_ends_when_a_file_comes_or_when_it_is_woken(void **state)
{
	struct spool *s = open_with(opts(*state));
	int64_t begun = clock_mono_ms(), number;

	spool_oldest(s, 50, &number);
	assert_int_equal(number, 0);
	assert_true(clock_mono_ms() - begun >= 50);
	must_write(s, "one");
	spool_oldest(s, 60000, &number);
	assert_true(number > 0);
	spool_remove(s, number);
	spool_wake(s);
	spool_oldest(s, 60000, &number);
	assert_int_equal(number, 0);
	spool_close(s);
}

/* ---- what lies in the directory ---- */

static void
half_written_files_are_cleared_away_and_strangers_left_alone(void **state)
{
	struct spool *s;

	write_raw(*state, "0000000000000000007.tmp", "half of");
	write_raw(*state, "notes.txt", "somebody's");
	write_raw(*state, "x.spool", "no number");
	write_raw(*state, "9223372036854775807.spool", "no number follows it");
	s = open_with(opts(*state));
	assert_int_equal(count_files(*state, ".tmp", false), 0);
	assert_int_equal(state_of(s).files, 0);
	assert_int_equal(count_files(*state, "notes.txt", false), 1);
	assert_int_equal(count_files(*state, "x.spool", false), 1);
	spool_close(s);
}

static void
a_damaged_file_is_set_aside_and_the_next_one_follows(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	const struct event *const *events;
	struct spool *s;
	struct err e;
	int n;

	arena_init(&a);
	write_raw(*state, "0000000000000000041.spool", "CTISPL1\nnonsense");
	s = open_with(opts(*state));
	must_write(s, "whole");
	assert_int_equal(oldest(s), 41);
	assert_int_equal(spool_read(s, 41, &a, &events, &n, &e), ERR_INVALID);
	assert_int_equal(state_of(s).bad_files, 1);
	assert_int_equal(count_files(*state, "0000000000000000041.bad", false), 1);
	assert_int_equal(must_take(s, "whole"), 42);
	spool_close(s);
	/* It is counted, and its number is not used again. */
	s = open_with(opts(*state));
	assert_int_equal(state_of(s).bad_files, 1);
	must_write(s, "later");
	assert_int_equal(must_take(s, "later"), 42);
	spool_close(s);
}

static void
a_file_that_somebody_took_away_does_not_hold_up_the_next_one(void **state)
{
	AUTO_RELEASE(arena_release) struct arena a;
	struct spool *s = open_with(opts(*state));
	const struct event *const *events;
	struct err e;
	int n;

	arena_init(&a);
	must_write(s, "taken");
	assert_int_equal(count_files(*state, ".spool", true), 1);
	must_write(s, "left");
	assert_int_equal(spool_read(s, oldest(s), &a, &events, &n, &e), ERR_INVALID);
	assert_int_equal(state_of(s).bad_files, 0);
	(void)must_take(s, "left");
	spool_close(s);
}

/* ---- limits ---- */

static void
there_are_never_more_files_than_allowed(void **state)
{
	struct spool_opts o = opts(*state);
	struct spool *s;
	struct err e;

	o.max_files = 2;
	s = open_with(o);
	must_write(s, "one");
	must_write(s, "two");
	assert_int_equal(write_claims(s, STR("three"), &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "full"));
	assert_int_equal(count_files(*state, ".spool", false), 2);
	(void)must_take(s, "one");
	must_write(s, "three");
	spool_close(s);
}

static void
there_are_never_more_bytes_than_allowed(void **state)
{
	static char claims[1000];
	struct spool_opts o = opts(*state);
	struct spool *s;
	struct err e;
	int written = 0;

	o.max_bytes = 5000;
	s = open_with(o);
	while (write_claims(s, (struct str){ claims, sizeof claims }, &e) == ERR_OK)
		written++;
	assert_int_equal(written, 4); /* with what each costs beside its claims */
	assert_true(state_of(s).bytes <= 5000);
	spool_close(s);
	/* What another process has left counts. */
	s = open_with(o);
	assert_int_equal(
	    write_claims(s, (struct str){ claims, sizeof claims }, &e), ERR_UNAVAILABLE);
	must_write(s, "a little one still fits");
	spool_close(s);
}

/* A write that comes to its end halfway, as on a full disk. */
static void
a_write_that_fails_leaves_nothing_half(void **state)
{
	static char claims[1 << 17];
	struct rlimit before, small = { 1 << 16, 0 };
	struct spool *s = open_with(opts(*state));
	struct err e;
	enum err_code rc;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = write_claims(s, (struct str){ claims, sizeof claims }, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "cannot write to the spool"));
	assert_int_equal(count_files(*state, ".tmp", false), 0);
	assert_int_equal(count_files(*state, ".spool", false), 0);
	assert_int_equal(state_of(s).bytes, 0);
	must_write(s, "there is room again");
	(void)must_take(s, "there is room again");
	spool_close(s);
}

/* Where the file is to go, somebody has made a directory. */
static void
a_failure_says_why(void **state)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(600);
	struct spool *s = open_with(opts(*state));
	struct err e;

	path_of(*state, "0000000000000000001.spool", &path);
	assert_int_equal(mkdir(buf_c(&path), 0700), 0);
	assert_int_equal(write_claims(s, STR("one"), &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "Is a directory"));
	assert_int_equal(count_files(*state, ".tmp", false), 0);
	assert_int_equal(rmdir(buf_c(&path)), 0);
	must_write(s, "two");
	assert_int_equal(must_take(s, "two"), 2);
	spool_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(a_file_is_durable_before_it_counts),
		SPOOL_TEST(what_the_disk_does_not_confirm_is_not_written),
		SPOOL_TEST(files_come_back_in_order_and_go_when_removed),
		SPOOL_TEST(a_file_that_was_only_read_stays),
		SPOOL_TEST(numbers_count_up_when_the_directory_is_opened_again),
		SPOOL_TEST(a_wait_ends_when_a_file_comes_or_when_it_is_woken),
		SPOOL_TEST(half_written_files_are_cleared_away_and_strangers_left_alone),
		SPOOL_TEST(a_damaged_file_is_set_aside_and_the_next_one_follows),
		SPOOL_TEST(a_file_that_somebody_took_away_does_not_hold_up_the_next_one),
		SPOOL_TEST(there_are_never_more_files_than_allowed),
		SPOOL_TEST(there_are_never_more_bytes_than_allowed),
		SPOOL_TEST(a_write_that_fails_leaves_nothing_half),
		SPOOL_TEST(a_failure_says_why),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

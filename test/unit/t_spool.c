/* ingestd/spool: files in a directory that one process holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "ingestd/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 300, NOBODY = 65534 };

/* ---- a directory of each test's own ---- */

static int
new_dir(void **state)
{
	char *dir = strdup("/tmp/t_spool.XXXXXX");

	*state = dir;
	return dir != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static void
path_of(const char *dir, const char *name, struct buf *out)
{
	buf_clear(out);
	buf_add_fmt(out, "%s/%s", dir, name);
}

/* How many files have this ending; each is unlinked, too, if asked. */
static int
count_files(const char *dir, const char *ending, bool and_unlink)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(600);
	DIR *d = opendir(dir);
	const struct dirent *entry;
	int n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name), end = strlen(ending);

		if (entry->d_name[0] == '.' || len < end
		    || strcmp(entry->d_name + len - end, ending) != 0)
			continue;
		n++;
		path_of(dir, entry->d_name, &path);
		if (and_unlink)
			(void)unlink(buf_c(&path));
	}
	(void)closedir(d);
	return n;
}

static int
remove_dir(void **state)
{
	(void)count_files(*state, "", true);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
write_raw(const char *dir, const char *name, const char *content)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(600);
	FILE *f;

	path_of(dir, name, &path);
	f = fopen(buf_c(&path), "wb");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* ---- shorthands ---- */

static struct spool_opts
opts(const char *dir)
{
	return (struct spool_opts){
		.dir = dir,
		.max_bytes = 1 << 20,
		.max_files = 100,
		.lock_wait_ms = LOCK_WAIT_MS,
	};
}

static struct spool *
open_with(struct spool_opts o)
{
	struct spool *s = NULL;
	struct err e = { .msg = "" };

	if (spool_open(&o, &s, &e) != ERR_OK)
		fail_msg("%s", e.msg);
	return s;
}

static enum err_code
write_claims(struct spool *s, struct str claims, struct err *e)
{
	struct event ev = { .hook = 1, .claims = claims };
	const struct event *one = &ev;

	return spool_write(s, &one, 1, e);
}

static void
must_write(struct spool *s, const char *claims)
{
	struct err e = { .msg = "" };

	if (write_claims(s, str_of(claims), &e) != ERR_OK)
		fail_msg("%s", e.msg);
}

static int64_t
oldest(struct spool *s)
{
	int64_t number = -1;

	spool_oldest(s, 0, &number);
	return number;
}

/* The oldest file holds one event with these claims; it is removed. Its number comes back. */
static int64_t
must_take(struct spool *s, const char *claims)
{
	AUTO_RELEASE(arena_release) struct arena a;
	const struct event *const *events;
	int64_t number = oldest(s);
	struct err e = { .msg = "" };
	int n;

	arena_init(&a);
	assert_true(number > 0);
	if (spool_read(s, number, &a, &events, &n, &e) != ERR_OK)
		fail_msg("%s", e.msg);
	assert_int_equal(n, 1);
	assert_int_equal(events[0]->hook, 1);
	if (!str_eq(events[0]->claims, str_of(claims)))
		fail_msg("%.*s instead of %s", STR_ARG(events[0]->claims), claims);
	spool_remove(s, number);
	return number;
}

static struct spool_state
state_of(struct spool *s)
{
	struct spool_state st;

	spool_state(s, &st);
	return st;
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

/* ---- who may have the directory ---- */

static void
assert_refused(const char *dir, enum err_code want, const char *why)
{
	struct spool_opts o = opts(dir);
	struct spool *s = NULL;
	struct err e = { .msg = "" };

	assert_int_equal(spool_open(&o, &s, &e), want);
	assert_null(s);
	assert_non_null(strstr(e.msg, "INGEST_SPOOL_DIR"));
	assert_non_null(strstr(e.msg, dir));
	if (strstr(e.msg, why) == NULL)
		fail_msg("%s", e.msg);
}

static void
what_is_no_directory_is_refused(void **state)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(600);

	write_raw(*state, "file", "");
	path_of(*state, "file", &path);
	assert_refused(buf_c(&path), ERR_INVALID, "Not a directory");
	path_of(*state, "missing", &path);
	assert_refused(buf_c(&path), ERR_INVALID, "No such file");
}

static void
a_directory_that_cannot_be_written_is_refused(void **state)
{
	uid_t me = geteuid();

	assert_int_equal(chmod(*state, 0555), 0);
	if (me == 0) /* who may write anywhere */
		assert_int_equal(seteuid(NOBODY), 0);
	assert_refused(*state, ERR_INVALID, "not writable");
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(chmod(*state, 0700), 0);
}

/* A process that holds the directory until *until is closed. */
static pid_t
hold_elsewhere(const char *dir, int *until)
{
	int ready[2], end[2];
	pid_t child;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(end[1]);
		(void)open_with(opts(dir));
		(void)!write(ready[1], "", 1);
		(void)!read(end[0], &c, 1);
		_exit(0); /* as in a crash: nothing is closed in order */
	}
	(void)close(end[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	*until = end[1];
	return child;
}

static void
a_directory_that_another_process_holds_is_waited_for_and_then_refused(void **state)
{
	int until;
	pid_t holder = hold_elsewhere(*state, &until);
	int64_t begun = clock_mono_ms();

	assert_refused(*state, ERR_CONFLICT, "held by another process");
	assert_true(clock_mono_ms() - begun >= LOCK_WAIT_MS);
	(void)close(until);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	spool_close(open_with(opts(*state)));
}

static void
a_directory_whose_holder_ends_is_taken_over(void **state)
{
	struct spool_opts o = opts(*state);
	struct spool *s = NULL;
	struct err e;
	int until;
	pid_t holder = hold_elsewhere(*state, &until), helper;

	helper = fork();
	assert_true(helper >= 0);
	if (helper == 0) {
		clock_sleep_ms(300);
		_exit(0); /* and with it the last copy of `until` */
	}
	(void)close(until);
	o.lock_wait_ms = 20000;
	assert_int_equal(spool_open(&o, &s, &e), ERR_OK);
	must_write(s, "mine");
	(void)must_take(s, "mine");
	spool_close(s);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_come_back_in_order_and_go_when_removed),
		TEST(a_file_that_was_only_read_stays),
		TEST(numbers_count_up_when_the_directory_is_opened_again),
		TEST(a_wait_ends_when_a_file_comes_or_when_it_is_woken),
		TEST(half_written_files_are_cleared_away_and_strangers_left_alone),
		TEST(a_damaged_file_is_set_aside_and_the_next_one_follows),
		TEST(a_file_that_somebody_took_away_does_not_hold_up_the_next_one),
		TEST(there_are_never_more_files_than_allowed),
		TEST(there_are_never_more_bytes_than_allowed),
		TEST(a_write_that_fails_leaves_nothing_half),
		TEST(what_is_no_directory_is_refused),
		TEST(a_directory_that_cannot_be_written_is_refused),
		TEST(a_directory_that_another_process_holds_is_waited_for_and_then_refused),
		TEST(a_directory_whose_holder_ends_is_taken_over),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

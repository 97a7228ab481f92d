/* ingestd/spool: who may have the directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "test/unit/spool_kit.h"

#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

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
	assert_refused(*state, ERR_INVALID, "cannot write to");
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(chmod(*state, 0700), 0);
}

static void
a_directory_that_can_no_longer_be_written_is_refused(void **state)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(600);

	spool_close(open_with(opts(*state)));
	path_of(*state, "lock", &path);
	assert_int_equal(chmod(buf_c(&path), 0666), 0);
	a_directory_that_cannot_be_written_is_refused(state);
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
	assert_true(clock_mono_ms() - begun >= SPOOL_LOCK_WAIT_MS);
	(void)close(until);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	spool_close(open_with(opts(*state)));
}

static bool
always(void)
{
	return true;
}

static void
the_wait_ends_when_it_is_given_up(void **state)
{
	struct spool_opts o = opts(*state);
	struct spool *holder = open_with(o), *s = NULL;
	int64_t begun = clock_mono_ms();
	struct err e;

	o.lock_wait_ms = 60000;
	o.give_up = always;
	assert_int_equal(spool_open(&o, &s, &e), ERR_CONFLICT);
	assert_true(clock_mono_ms() - begun < 10000);
	spool_close(holder);
	o.give_up = NULL;
	spool_close(open_with(o));
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(what_is_no_directory_is_refused),
		SPOOL_TEST(a_directory_that_cannot_be_written_is_refused),
		SPOOL_TEST(a_directory_that_can_no_longer_be_written_is_refused),
		SPOOL_TEST(a_directory_that_another_process_holds_is_waited_for_and_then_refused),
		SPOOL_TEST(a_directory_whose_holder_ends_is_taken_over),
		SPOOL_TEST(the_wait_ends_when_it_is_given_up),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

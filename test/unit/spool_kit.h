/*
 * spool_kit - a spool in a directory of each test's own.
 *
 * Use:      SPOOL_TEST(f) in the table of tests; *state is then the directory.
 * Owns:     the directory, which goes after the test.
 * Threads:  one.
 * Errors:   fail the test.
 * Not for:  anything but the tests of ingestd/spool.
 */
#ifndef CTI_TEST_SPOOL_KIT_H
#define CTI_TEST_SPOOL_KIT_H

#include "common/base/buf.h"
#include "ingestd/spool.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPOOL_LOCK_WAIT_MS = 300 };

#define SPOOL_TEST(f) cmocka_unit_test_setup_teardown(f, new_dir, remove_dir)

/* ---- a directory of each test's own ---- */

static inline int
new_dir(void **state)
{
	char *dir = strdup("/tmp/t_spool.XXXXXX");

	*state = dir;
	return dir != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static inline void
path_of(const char *dir, const char *name, struct buf *out)
{
	buf_clear(out);
	buf_add_fmt(out, "%s/%s", dir, name);
}

/* How many files have this ending; each is unlinked, too, if asked. */
static inline int
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

static inline int
remove_dir(void **state)
{
	(void)count_files(*state, "", true);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static inline void
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

static inline struct spool_opts
opts(const char *dir)
{
	return (struct spool_opts){
		.dir = dir,
		.max_bytes = 1 << 20,
		.max_files = 100,
		.lock_wait_ms = SPOOL_LOCK_WAIT_MS,
	};
}

static inline struct spool *
open_with(struct spool_opts o)
{
	struct spool *s = NULL;
	struct err e = { .msg = "" };

	if (spool_open(&o, &s, &e) != ERR_OK)
		fail_msg("%s", e.msg);
	return s;
}

static inline enum err_code
write_claims(struct spool *s, struct str claims, struct err *e)
{
	struct event ev = { .hook = 1, .claims = claims };
	const struct event *one = &ev;

	return spool_write(s, &one, 1, e);
}

static inline void
must_write(struct spool *s, const char *claims)
{
	struct err e = { .msg = "" };

	if (write_claims(s, str_of(claims), &e) != ERR_OK)
		fail_msg("%s", e.msg);
}

static inline int64_t
oldest(struct spool *s)
{
	int64_t number = -1;

	spool_oldest(s, 0, &number);
	return number;
}

/* The oldest file holds one event with these claims; it is removed. Its number comes back. */
static inline int64_t
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

static inline struct spool_state
state_of(struct spool *s)
{
	struct spool_state st;

	spool_state(s, &st);
	return st;
}

#endif

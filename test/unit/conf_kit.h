/*
 * conf_kit - a configuration from a literal environment, or the faults it has.
 *
 * Use:      load(), load_bad(), assert_fault().
 * Owns:     the text of the last faults; a loaded configuration is the caller's.
 * Threads:  one.
 * Errors:   fail the test.
 */
#ifndef CTI_CONF_KIT_H
#define CTI_CONF_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY32 "0123456789abcdef0123456789ABCDEF"
#define DB "DATABASE_URL=postgresql://u:p@h/d"
#define PEPPER "API_KEY_PEPPER=" KEY32
/* A literal environment. The cast: environ's type wants writable strings, which nothing writes. */
#define ENV(...) ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })

static struct buf faults;

/* Load what must be without fault; conf_release is the caller's. */
static inline struct conf
load(enum conf_daemon daemon, char *const *env)
{
	struct conf c;
	struct err e;

	buf_clear(&faults);
	if (conf_load(&c, daemon, env, &faults, &e) != ERR_OK)
		fail_msg("faults: %s", buf_c(&faults));
	assert_int_equal(faults.n, 0);
	return c;
}

/* Load what must have faults; their text. */
static inline const char *
load_bad(enum conf_daemon daemon, char *const *env)
{
	struct conf c;
	struct err e;

	buf_clear(&faults);
	if (conf_load(&c, daemon, env, &faults, &e) == ERR_OK) {
		conf_release(&c);
		fail_msg("accepted");
	}
	assert_int_equal(e.code, ERR_INVALID);
	return buf_c(&faults);
}

static inline void
assert_fault(enum conf_daemon daemon, char *const *env, const char *want)
{
	const char *text = load_bad(daemon, env);

	if (strstr(text, want) == NULL)
		fail_msg("no %s in %s", want, text);
}

#endif

/* common/http/wire: a connection that comes at any moment is served at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/http/wire.h"

#include <sys/socket.h>
#include <unistd.h>

enum { SOON_MS = 5000 };

struct peer {
	struct wires *set;
	struct peer *next; /* adopted in the first one's first call; or NULL */
	struct wire *wire;
	int ends[2]; /* the wire's, and ours */
	atomic_bool begun, ended;
};

static void adopt(struct peer *p);

static void
on_begun(void *arg)
{
	struct peer *p = arg;

	if (p->next != NULL)
		adopt(p->next);
	atomic_store(&p->begun, true);
}

static void
on_read(void *arg, struct str bytes)
{
	struct peer *p = arg;
	struct wire_bytes *b = wire_bytes_new(bytes, STR_NONE);

	wire_send(p->wire, b);
	wire_bytes_unref(b);
}

static void
on_full(void *arg)
{
	(void)arg;
}

static int64_t
on_due(void *arg, int64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	return WIRE_NEVER;
}

static void
on_ended(void *arg)
{
	struct peer *p = arg;

	atomic_store(&p->ended, true);
}

static void
adopt(struct peer *p)
{
	static const struct wire_calls calls = { .begun = on_begun,
		.read = on_read,
		.full = on_full,
		.due = on_due,
		.ended = on_ended };
	const struct wire_opts o = {
		.calls = &calls, .arg = p, .due_ms = WIRE_NEVER, .max_bytes = 1000
	};

	wires_adopt(p->set, p->ends[0], &o, &p->wire);
}

static bool
comes_true(atomic_bool *what)
{
	for (int64_t end = clock_mono_ms() + SOON_MS; clock_mono_ms() < end; clock_sleep_ms(1)) {
		if (atomic_load(what))
			return true;
	}
	return false;
}

static struct peer
new_peer(struct wires *set, struct peer *next)
{
	struct peer p = { .set = set, .next = next };

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, p.ends), 0);
	return p;
}

/* No instant of any connection is due, so nothing else would wake the thread. */
static void
one_that_comes_while_another_is_taken_up_is_served_at_once(void **state)
{
	struct wires *set = NULL;
	struct peer second, first;
	struct err e;
	char c;

	(void)state;
	assert_int_equal(wires_start(1, &set, &e), ERR_OK);
	second = new_peer(set, NULL);
	first = new_peer(set, &second);
	adopt(&first);
	assert_true(comes_true(&first.begun));
	assert_true(comes_true(&second.begun));
	assert_int_equal(write(second.ends[1], "x", 1), 1);
	assert_int_equal(read(second.ends[1], &c, 1), 1);
	(void)close(first.ends[1]);
	(void)close(second.ends[1]);
	assert_true(comes_true(&first.ended));
	assert_true(comes_true(&second.ended));
	wires_stop(set);
}

static void
what_is_there_at_the_stop_has_its_end(void **state)
{
	struct wires *set = NULL;
	struct peer one;
	struct err e;

	(void)state;
	assert_int_equal(wires_start(1, &set, &e), ERR_OK);
	one = new_peer(set, NULL);
	adopt(&one);
	assert_int_equal(wires_count(set), 1);
	wires_stop(set);
	assert_true(atomic_load(&one.begun) && atomic_load(&one.ended));
	(void)close(one.ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_comes_while_another_is_taken_up_is_served_at_once),
		cmocka_unit_test(what_is_there_at_the_stop_has_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

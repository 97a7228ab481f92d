/*
 * own - scope-bound ownership: a variable that frees what it holds when it goes out of scope.
 *
 * Use:      OWN_DEFINE once beside the type's free function, then declare `AUTO(name) T x = NULL;`,
 *           always initialised, one per line. TAKE(x) moves the value out.
 * Owns:     the value the variable holds at the end of its scope.
 * Threads:  no shared state.
 * Errors:   none.
 * Not for:  arena memory, which is never freed alone.
 */
#ifndef CTI_OWN_H
#define CTI_OWN_H

#include <stdlib.h>
#include <unistd.h>

#define OWN_DEFINE(name, T, empty, destroy) \
	static inline void own_##name(T *p) \
	{                                   \
		if (*p != (empty)) {        \
			destroy(*p);        \
			*p = (empty);       \
		}                           \
	}

#define AUTO(name) __attribute__((cleanup(own_##name)))

/* For structs the scope holds by value: `AUTO_RELEASE(buf_release) struct buf b = …`. */
#define AUTO_RELEASE(fn) __attribute__((cleanup(fn)))

/* Move out of an AUTO variable: the caller owns the result from here on. */
#define TAKE(p)                            \
	__extension__({                    \
		__typeof__(p) take_ = (p); \
		(p) = NULL;                \
		take_;                     \
	})

OWN_DEFINE(str, char *, NULL, free)
OWN_DEFINE(fd, int, -1, (void)close)

#endif

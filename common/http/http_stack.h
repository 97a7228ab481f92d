/*
 * http_stack - civetweb's threads get stacks that handlers can live on.
 *
 * Use:      private to common/http; http_server_start() asks http_stack_is_raised(), which also
 *           makes the linker take this object out of a static library.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none.
 * Not for:  stacks beyond HTTP_STACK_BYTES.
 *
 * The packaged civetweb asks for stacks of 100 KB, with no option to change it; a parser or a
 * database call can overrun that. It asks through pthread_attr_setstacksize(): this module defines
 * a function of that name which raises small sizes and passes on the rest. An executable's own
 * function is found before libc's, provided that it is exported (gcc -rdynamic).
 */
#ifndef CTI_HTTP_STACK_H
#define CTI_HTTP_STACK_H

#include <stdbool.h>

/* Address space only: memory is taken as it is touched. ThreadSanitizer keeps the better part of
 * 1 MB of its own there. */
enum { HTTP_STACK_BYTES = 2 * 1024 * 1024 };

/* Would a shared library that asks for 100 KB get HTTP_STACK_BYTES? */
bool http_stack_is_raised(void);

#endif

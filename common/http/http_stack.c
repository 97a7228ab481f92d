#include "common/http/http_stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

typedef int (*set_stack_size)(pthread_attr_t *attr, size_t bytes);

/* ISO C has no cast from dlsym()'s result to a function. */
static set_stack_size
find_function(void *where)
{
	void *symbol = dlsym(where, "pthread_attr_setstacksize");
	set_stack_size fn = NULL;

	if (symbol != NULL)
		memcpy(&fn, &symbol, sizeof fn);
	return fn;
}

int
pthread_attr_setstacksize(pthread_attr_t *attr, size_t bytes)
{
	/* The next one is libc's, or a sanitizer's that calls libc's. */
	set_stack_size next = find_function(RTLD_NEXT);

	if (next == NULL)
		return EINVAL;
	return next(attr, bytes < HTTP_STACK_BYTES ? HTTP_STACK_BYTES : bytes);
}

bool
http_stack_is_raised(void)
{
	set_stack_size found = find_function(RTLD_DEFAULT);
	pthread_attr_t attr;
	size_t bytes = 0;

	if (found == NULL || pthread_attr_init(&attr) != 0)
		return false;
	if (found(&attr, 100 * 1024) == 0)
		(void)pthread_attr_getstacksize(&attr, &bytes);
	(void)pthread_attr_destroy(&attr);
	return bytes >= HTTP_STACK_BYTES;
}

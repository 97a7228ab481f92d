#include "common/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name;
	int http;
	bool retry;
	const char *text;
} rows[] = {
#define X(name, http, retry, text) { #name, http, retry, text },
	ERR_TABLE(X)
#undef X
};

void
err_fill(struct err *e, enum err_code code, const char *fmt, ...)
{
	struct err made = { .code = code };
	va_list ap;

	/* Not into *e at once: e->msg may be among the arguments. */
	va_start(ap, fmt);
	(void)vsnprintf(made.msg, sizeof made.msg, fmt, ap);
	va_end(ap);
	*e = made;
}

const char *
err_name(enum err_code code)
{
	assert(code < ERR_COUNT_);
	return rows[code].name;
}

const char *
err_text(enum err_code code)
{
	assert(code < ERR_COUNT_);
	return rows[code].text;
}

int
err_http_status(enum err_code code)
{
	assert(code < ERR_COUNT_);
	return rows[code].http;
}

bool
err_may_repeat(enum err_code code)
{
	assert(code < ERR_COUNT_);
	return rows[code].retry;
}

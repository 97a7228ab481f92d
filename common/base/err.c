#include "common/base/err.h"

#include "common/base/utf8.h"

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

/* What others said is quoted, and what is long is cut: but a column of the database takes no half
 * character. */
static void
make_well_formed(char *text)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		n = utf8_length((struct str){ text, left });
		if (n > 0)
			continue;
		*text = '?';
		n = 1;
	}
}

void
err_fill(struct err *e, enum err_code code, const char *fmt, ...)
{
	struct err made = { .code = code };
	va_list ap;

	/* Not into *e at once: e->msg may be among the arguments. */
	va_start(ap, fmt);
	(void)vsnprintf(made.msg, sizeof made.msg, fmt, ap);
	va_end(ap);
	make_well_formed(made.msg);
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

#include "common/conf/conf_value.h"

#include "common/base/buf.h"
#include "common/base/own.h"

#include <errno.h>
#include <fcntl.h>

enum { MAX_FILE_BYTES = 64 * 1024 };

struct str
conf_env(char *const *env, const char *name, const char *suffix)
{
	struct str entry, rest, first = str_of(name), second = str_of(suffix);

	for (; *env != NULL; env++) {
		entry = str_cut(str_of(*env), '=', &rest);
		if (rest.p != NULL && entry.n == first.n + second.n && str_starts(entry, first)
		    && str_eq((struct str){ entry.p + first.n, second.n }, second))
			return rest;
	}
	return STR_NONE;
}

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

/* The whole file; errno says why not. */
static bool
read_file(const char *path, struct buf *out)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *at;
	ssize_t n;

	if (fd < 0)
		return false;
	at = buf_grow(out, MAX_FILE_BYTES);
	out->n = 0;
	while ((n = read(fd, at + out->n, MAX_FILE_BYTES - out->n)) > 0)
		out->n += (size_t)n;
	if (n == 0 && out->n == MAX_FILE_BYTES) {
		errno = EFBIG;
		return false;
	}
	return n == 0;
}

static enum err_code
value_of_file(const char *name, struct str path, struct arena *a, struct str *out, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf content = BUF(MAX_FILE_BYTES);
	struct str text;

	if (!read_file(arena_cstr(a, path), &content))
		return err_set(e, ERR_INVALID, "%s_FILE: cannot read %.*s: %s", name, STR_ARG(path),
		    strerror(errno));
	text = str_trim(buf_str(&content));
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return err_set(
		    e, ERR_INVALID, "%s_FILE: %.*s contains a NUL byte", name, STR_ARG(path));
	*out = arena_dup(a, text);
	return ERR_OK;
}

enum err_code
conf_value_read(char *const *env, const char *name, bool secret, struct arena *a, struct str *out,
    struct err *e)
{
	struct str direct = conf_env(env, name, ""), path = str_trim(conf_env(env, name, "_FILE"));
	struct str text = str_trim(direct);
	bool given = direct.p != NULL || path.n > 0;

	if (text.n > 0 && path.n > 0)
		return err_set(e, ERR_INVALID, "%s and %s_FILE are both set: keep one", name, name);
	if (path.n > 0 && value_of_file(name, path, a, &text, e) != ERR_OK)
		return e->code;
	if (text.n == 0 && given && secret)
		return err_set(e, ERR_INVALID, "%s%s is set but empty: give it a value or unset it",
		    name, path.n > 0 ? "_FILE" : "");
	*out = text.n == 0 ? STR_NONE : arena_dup(a, text);
	return ERR_OK;
}

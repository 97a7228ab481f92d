#include "apid/edge/body.h"

#include "common/base/utf8.h"

#include <inttypes.h>

/* Of a field's name that nobody knows, so much is repeated. */
enum { QUOTED_BYTES = 40 };

static bool
is_listed(const char *const *names, const char *name)
{
	for (; *names != NULL; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

static enum err_code
refuse_unknown(const char *name, const char *const *fields, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf list = BUF(sizeof e->msg);

	for (int i = 0; fields[i] != NULL; i++)
		buf_add_fmt(&list, "%s%s", i == 0 ? "" : ", ", fields[i]);
	return err_set(e, ERR_INVALID, "unknown field \"%.*s\"; allowed: %s", QUOTED_BYTES, name,
	    buf_c(&list));
}

enum err_code
body_parse(const struct http_req *req, const char *const *fields, struct json **out, struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	struct str text = str_trim(req->body);
	enum err_code rc = json_parse(text.n == 0 ? STR("{}") : text, &doc, e);

	if (rc != ERR_OK)
		return rc;
	if (!json_is_obj(doc))
		return err_set(e, ERR_INVALID, "the body is not a JSON object");
	for (const struct json *f = json_first(doc); f != NULL; f = json_next(f)) {
		if (!is_listed(fields, json_key(f)))
			return refuse_unknown(json_key(f), fields, e);
	}
	*out = TAKE(doc);
	return ERR_OK;
}

static const struct json *
field_of(const struct json *body, const char *field)
{
	const struct json *v = json_get(body, field);

	return v == NULL || json_is_null(v) ? NULL : v;
}

bool
body_has(const struct json *body, const char *field)
{
	return field_of(body, field) != NULL;
}

/* Characters of a printable UTF-8 text; 0 when it is not one. */
static size_t
count_printable(struct str s)
{
	size_t chars = 0;

	while (s.n > 0) {
		size_t length = utf8_length(s);
		unsigned char first = (unsigned char)s.p[0];

		if (length == 0 || first < ' ' || first == 0x7f)
			return 0;
		s.p += length;
		s.n -= length;
		chars++;
	}
	return chars;
}

enum err_code
body_text(
    const struct json *body, const char *field, size_t max_chars, struct str *out, struct err *e)
{
	const struct json *v = field_of(body, field);
	struct str s = STR_NONE;
	size_t chars;

	if (v == NULL) {
		*out = STR_NONE;
		return ERR_OK;
	}
	if (!json_to_str(v, &s))
		return err_set(e, ERR_INVALID, "field \"%s\" is not a string", field);
	s = str_trim(s);
	chars = count_printable(s);
	if (chars < 1 || chars > max_chars)
		return err_set(e, ERR_INVALID,
		    "field \"%s\" must have 1 to %zu printable characters", field, max_chars);
	*out = s;
	return ERR_OK;
}

enum err_code
body_i64(const struct json *body, const char *field, int64_t min, int64_t max, int64_t dflt,
    int64_t *out, struct err *e)
{
	const struct json *v = field_of(body, field);
	int64_t n = dflt;

	if (v != NULL && (!json_to_i64(v, &n) || n < min || n > max))
		return err_set(e, ERR_INVALID,
		    "field \"%s\" is not a whole number from %" PRId64 " to %" PRId64, field, min,
		    max);
	*out = n;
	return ERR_OK;
}

enum err_code
body_bool(const struct json *body, const char *field, bool *given, bool *out, struct err *e)
{
	const struct json *v = field_of(body, field);

	if (v == NULL)
		return ERR_OK;
	if (!json_to_bool(v, out))
		return err_set(e, ERR_INVALID, "field \"%s\" is neither true nor false", field);
	*given = true;
	return ERR_OK;
}

enum err_code
body_array(const struct json *body, const char *field, const struct json **out, struct err *e)
{
	const struct json *v = field_of(body, field);

	if (v != NULL && !json_is_arr(v))
		return err_set(e, ERR_INVALID, "field \"%s\" is not an array", field);
	*out = v;
	return ERR_OK;
}

#include "common/json/json_in.h"

#include "common/base/buf.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* struct json is cJSON under another name, so that only this file knows the library. */
static const cJSON *
as_cjson(const struct json *v)
{
	return (const cJSON *)(const void *)v;
}

static const struct json *
as_json(const cJSON *v)
{
	return (const struct json *)(const void *)v;
}

/* The code unit of a "\uXXXX" at p, -1 when there is none. */
static int
unicode_escape(const char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	int v = 0;

	if (n < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		const char *at = p[i] == '\0' ? NULL : strchr(hex, p[i]);

		if (at == NULL)
			return -1;
		v = v * 16 + (int)((at - hex) % 16);
	}
	return v;
}

/* Length of the escape at p, and whether the library would stumble over it. */
static size_t
escape_at(const char *p, size_t n, bool *bad)
{
	int unit = unicode_escape(p, n), low;

	*bad = false;
	if (unit < 0)
		return n < 2 ? n : 2;
	if (unit < 0xd800 || unit > 0xdfff) {
		*bad = unit == 0;
		return 6;
	}
	low = unit > 0xdbff ? -1 : unicode_escape(p + 6, n - 6);
	*bad = low < 0xdc00 || low > 0xdfff;
	return *bad ? 6 : 12;
}

/* The library takes "\uzzzz" for a NUL, and lets control characters (NUL, too) into a string. */
static bool
is_no_string_content(const char *p, size_t n)
{
	if (p[0] == '\\')
		return n > 1 && p[1] == 'u' && unicode_escape(p, n) < 0;
	return (unsigned char)p[0] < 0x20;
}

/*
 * What the library must be spared: it recurses per level of nesting, ends a string at "\u0000", and
 * refuses half a surrogate pair, all of which a sender may write and PostgreSQL stores.
 */
struct scan {
	size_t depth, max_depth;
	bool has_bad_escape;
	bool has_bad_string;
};

/* The content of a string that begins at i; returns where its quote is, or the text ends. */
static size_t
scan_string(struct str text, size_t i, struct scan *s)
{
	bool bad;

	while (i < text.n && text.p[i] != '"') {
		if ((unsigned char)text.p[i] >= 0x20 && text.p[i] != '\\') {
			i++;
			continue;
		}
		s->has_bad_string |= is_no_string_content(text.p + i, text.n - i);
		i += escape_at(text.p + i, text.n - i, &bad);
		s->has_bad_escape |= bad;
	}
	return i;
}

static struct scan
scan_text(struct str text)
{
	struct scan s = { 0 };

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) /* most are */
			continue;
		if (c == '"') {
			i = scan_string(text, i + 1, &s);
		} else if (c == '{' || c == '[') {
			if (++s.depth > s.max_depth)
				s.max_depth = s.depth;
		} else if ((c == '}' || c == ']') && s.depth > 0) {
			s.depth--;
		}
	}
	return s;
}

static void
replace_bad_escapes(struct str text, struct buf *out)
{
	bool bad;

	for (size_t i = 0, n; i < text.n; i += n) {
		n = 1;
		bad = false;
		if (text.p[i] == '\\')
			n = escape_at(text.p + i, text.n - i, &bad);
		if (bad)
			buf_add(out, "\\ufffd", 6);
		else
			buf_add(out, text.p + i, n);
	}
}

/* ---- where a document lives ---- */

/* The library asks nobody where to allocate, so each thread says it here before it parses. */
static _Thread_local struct arena *home;

static void *
allocate(size_t n)
{
	return home != NULL ? arena_alloc(home, n) : malloc(n);
}

static void
release(void *p)
{
	if (home == NULL)
		free(p);
}

static void
install_hooks(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){ allocate, release });
}

static cJSON *
parse_at(struct str text, struct arena *a, const char **end)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	cJSON *doc;

	(void)pthread_once(&once, install_hooks);
	home = a;
	doc = cJSON_ParseWithLengthOpts(text.p, text.n, end, false);
	home = NULL;
	return doc;
}

/* Without an arena, from malloc. */
static enum err_code
parse(struct str text, struct arena *a, cJSON **out, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf clean = BUF(text.n + 1);
	struct scan s = scan_text(text);
	const char *end = NULL;
	cJSON *doc;

	if (s.max_depth > JSON_MAX_DEPTH)
		return err_set(
		    e, ERR_INVALID, "JSON is nested deeper than %d levels", JSON_MAX_DEPTH);
	if (s.has_bad_string)
		return err_set(e, ERR_INVALID, "a string of the JSON holds what it may not");
	if (s.has_bad_escape) {
		replace_bad_escapes(text, &clean);
		text = buf_str(&clean);
	}
	doc = parse_at(text, a, &end);
	if (doc == NULL)
		return err_set(e, ERR_INVALID, "not valid JSON");
	if (str_trim((struct str){ end, text.n - (size_t)(end - text.p) }).n > 0) {
		if (a == NULL)
			cJSON_Delete(doc);
		return err_set(e, ERR_INVALID, "text after the JSON value");
	}
	*out = doc;
	return ERR_OK;
}

enum err_code
json_parse(struct str text, struct json **out, struct err *e)
{
	cJSON *doc;
	enum err_code rc = parse(text, NULL, &doc, e);

	if (rc == ERR_OK)
		*out = (struct json *)(void *)doc;
	return rc;
}

enum err_code
json_parse_in(struct arena *a, struct str text, const struct json **out, struct err *e)
{
	cJSON *doc;
	enum err_code rc = parse(text, a, &doc, e);

	if (rc == ERR_OK)
		*out = as_json(doc);
	return rc;
}

void
json_free(struct json *doc)
{
	cJSON_Delete((cJSON *)(void *)doc);
}

bool
json_is_obj(const struct json *v)
{
	return cJSON_IsObject(as_cjson(v));
}

bool
json_is_arr(const struct json *v)
{
	return cJSON_IsArray(as_cjson(v));
}

bool
json_is_str(const struct json *v)
{
	return cJSON_IsString(as_cjson(v));
}

bool
json_is_num(const struct json *v)
{
	return cJSON_IsNumber(as_cjson(v));
}

bool
json_is_null(const struct json *v)
{
	return cJSON_IsNull(as_cjson(v));
}

/* The library's own search calls strcmp for each member; most differ in the first byte. */
const struct json *
json_find(const struct json *obj, struct str key)
{
	const cJSON *c = as_cjson(obj);
	char first = key.n > 0 ? key.p[0] : '\0';

	if (!cJSON_IsObject(c))
		return NULL;
	for (c = c->child; c != NULL; c = c->next)
		if (c->string[0] == first && strncmp(c->string, key.p, key.n) == 0
		    && c->string[key.n] == '\0')
			return as_json(c);
	return NULL;
}

const struct json *
json_get(const struct json *obj, const char *key)
{
	return json_find(obj, str_of(key));
}

const struct json *
json_first(const struct json *container)
{
	const cJSON *c = as_cjson(container);

	return cJSON_IsObject(c) || cJSON_IsArray(c) ? as_json(c->child) : NULL;
}

const struct json *
json_next(const struct json *item)
{
	return as_json(as_cjson(item)->next);
}

const char *
json_key(const struct json *item)
{
	return as_cjson(item)->string;
}

bool
json_to_i64(const struct json *v, int64_t *out)
{
	const cJSON *c = as_cjson(v);

	if (cJSON_IsString(c))
		return str_to_i64(str_of(c->valuestring), INT64_MIN, INT64_MAX, out);
	/* From 2^53 on a double no longer tells a number from its neighbours. */
	if (!cJSON_IsNumber(c) || fabs(c->valuedouble) >= 0x1p53
	    || trunc(c->valuedouble) != c->valuedouble)
		return false;
	*out = (int64_t)c->valuedouble;
	return true;
}

bool
json_to_f64(const struct json *v, double *out)
{
	const cJSON *c = as_cjson(v);
	char *end;
	double d;

	if (cJSON_IsNumber(c)) {
		d = c->valuedouble;
	} else if (cJSON_IsString(c) && c->valuestring[0] != '\0') {
		d = strtod(c->valuestring, &end);
		if (*end != '\0')
			return false;
	} else {
		return false;
	}
	if (!isfinite(d))
		return false;
	*out = d;
	return true;
}

bool
json_to_bool(const struct json *v, bool *out)
{
	const cJSON *c = as_cjson(v);

	if (!cJSON_IsBool(c))
		return false;
	*out = cJSON_IsTrue(c);
	return true;
}

bool
json_to_str(const struct json *v, struct str *out)
{
	const cJSON *c = as_cjson(v);

	if (!cJSON_IsString(c))
		return false;
	*out = str_of(c->valuestring);
	return true;
}

bool
json_get_i64(const struct json *obj, const char *key, int64_t *out)
{
	return json_to_i64(json_get(obj, key), out);
}

bool
json_get_f64(const struct json *obj, const char *key, double *out)
{
	return json_to_f64(json_get(obj, key), out);
}

bool
json_get_bool(const struct json *obj, const char *key, bool *out)
{
	return json_to_bool(json_get(obj, key), out);
}

bool
json_get_str(const struct json *obj, const char *key, struct str *out)
{
	return json_to_str(json_get(obj, key), out);
}

#include "apid/client/filter.h"

#include "apid/edge/number.h"
#include "common/base/clock.h"

/* Of instants given in milliseconds: years 0001 to 9999, as RFC 3339 can say them. */
#define GIVEN_FIRST INT64_C(-62135596800000)
#define GIVEN_LAST INT64_C(253402300799999)

enum { OFFSET_BYTES = 6 /* "+02:00" */, MAX_INSTANT_BYTES = 64 };

static bool
is_choice(const char *const *choices, struct str value)
{
	for (; *choices != NULL; choices++) {
		if (str_eq(str_of(*choices), value))
			return true;
	}
	return false;
}

static enum err_code
refuse_choice(const struct filter *f, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf list = BUF(sizeof e->msg);

	for (int i = 0; f->choices[i] != NULL; i++)
		buf_add_fmt(&list, "%s, ", f->choices[i]);
	return err_set(
	    e, ERR_INVALID, "query parameter \"%s\" is none of: %sall", f->name, buf_c(&list));
}

static enum err_code
bind_choice(const struct filter *f, struct str value, struct db_params *p, struct err *e)
{
	if (value.p == NULL || str_eq(value, STR("all")))
		db_p_null(p, DB_TEXT);
	else if (is_choice(f->choices, value))
		db_p_text(p, value);
	else
		return refuse_choice(f, e);
	return ERR_OK;
}

/* A plus that was not encoded comes as a blank. */
static bool
read_number(struct str given, struct arena *a, struct str *out)
{
	char *text;

	*out = given;
	if (given.n == 0 || given.p[0] != ' ')
		return number_is_e164(given) || number_is_local(given);
	text = arena_cstr(a, given);
	text[0] = '+';
	out->p = text;
	return number_is_e164(*out);
}

static enum err_code
bind_number(struct http_req *req, const struct filter *f, struct str value, struct db_params *p,
    struct err *e)
{
	struct str number = STR_NONE;

	if (value.p != NULL && !read_number(value, &req->arena, &number))
		return err_set(e, ERR_INVALID,
		    "query parameter \"%s\" is no telephone number such as +14155550123", f->name);
	db_p_text(p, number);
	return ERR_OK;
}

static enum err_code
bind_id(const struct filter *f, struct str value, struct db_params *p, struct err *e)
{
	int64_t id;

	if (value.p == NULL)
		db_p_null(p, DB_I64);
	else if (str_to_i64(value, 0, INT64_MAX, &id))
		db_p_i64(p, id);
	else
		return err_set(
		    e, ERR_INVALID, "query parameter \"%s\" is no id of Dialpad's", f->name);
	return ERR_OK;
}

/* As in a number, an offset's plus that was not encoded comes as a blank. */
static bool
parse_instant(struct str s, int64_t *ms)
{
	char text[MAX_INSTANT_BYTES];

	if (s.n > OFFSET_BYTES && s.n <= sizeof text && s.p[s.n - OFFSET_BYTES] == ' ') {
		memcpy(text, s.p, s.n);
		text[s.n - OFFSET_BYTES] = '+';
		s.p = text;
	}
	return clock_parse_rfc3339(s, ms) || str_to_i64(s, GIVEN_FIRST, GIVEN_LAST, ms);
}

static bool
is_own_time(const struct filter *f)
{
	return f->type == FILTER_SINCE || f->type == FILTER_UNTIL;
}

static bool
is_other_time(const struct filter *f)
{
	return f->type == FILTER_OTHER_SINCE || f->type == FILTER_OTHER_UNTIL;
}

static enum err_code
read_instant(const struct filter *f, struct str value, int64_t *out, struct err *e)
{
	bool since = f->type == FILTER_SINCE || f->type == FILTER_OTHER_SINCE;

	*out = since ? FILTER_FIRST_MS : FILTER_LAST_MS;
	if (value.p != NULL && !parse_instant(value, out))
		return err_set(e, ERR_INVALID,
		    "query parameter \"%s\" is neither an RFC 3339 time "
		    "nor milliseconds since 1970",
		    f->name);
	return ERR_OK;
}

static enum err_code
bind_instant(const struct filter *f, struct str value, struct db_params *p, struct err *e)
{
	int64_t ms;
	enum err_code rc = read_instant(f, value, &ms, e);

	if (rc == ERR_OK)
		db_p_time(p, ms);
	return rc;
}

static enum err_code
bind_one(struct http_req *req, const struct filter *f, struct str value, struct db_params *p,
    struct err *e)
{
	switch (f->type) {
	case FILTER_CHOICE: return bind_choice(f, value, p, e);
	case FILTER_NUMBER: return bind_number(req, f, value, p, e);
	case FILTER_ID: return bind_id(f, value, p, e);
	case FILTER_OTHER_SINCE:
	case FILTER_OTHER_UNTIL: return bind_instant(f, value, p, e);
	case FILTER_SINCE:
	case FILTER_UNTIL: break;
	}
	return ERR_OK;
}

enum err_code
filters_bind(
    struct http_req *req, const struct filter *filters, int n, struct db_params *p, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (int i = 0; i < n && rc == ERR_OK; i++)
		rc = bind_one(req, &filters[i], http_query(req, filters[i].name), p, e);
	return rc;
}

static void
note_kind(const struct filter *f, struct str value, struct filter_use *used)
{
	bool other = is_other_time(f), time = other || is_own_time(f);

	if (value.p == NULL)
		return;
	used->times |= time;
	used->others |= other;
	used->narrows |= !time && !(f->type == FILTER_CHOICE && str_eq(value, STR("all")));
}

enum err_code
filters_use(const struct http_req *req, const struct filter *filters, int n, struct filter_use *out,
    struct err *e)
{
	struct filter_use used = { .since = FILTER_FIRST_MS, .until = FILTER_LAST_MS };

	for (int i = 0; i < n; i++) {
		const struct filter *f = &filters[i];
		struct str value = http_query(req, f->name);
		enum err_code rc = ERR_OK;

		note_kind(f, value, &used);
		if (is_own_time(f))
			rc = read_instant(
			    f, value, f->type == FILTER_SINCE ? &used.since : &used.until, e);
		if (rc != ERR_OK)
			return rc;
	}
	*out = used;
	return ERR_OK;
}

#include "apid/access/limits.h"

#include "apid/access/limiter.h"
#include "apid/apid.h"
#include "common/base/clock.h"
#include "common/base/metric.h"

#include <inttypes.h>
#include <stddef.h>

enum { ID_BYTES = 64, FIELD_BYTES = 100 };

static const struct {
	const char *name; /* in the RateLimit fields and in metrics */
	const char *what;
	const char *variable;
	size_t quota; /* member of struct conf */
} LIMITS[] = {
	[LIMIT_API] = { "api", "requests with this key", "RATE_LIMIT_API_PER_MIN",
	    offsetof(struct conf, rate_limit_api) },
	[LIMIT_AUTH] = { "auth", "requests from this address", "RATE_LIMIT_AUTH_PER_MIN",
	    offsetof(struct conf, rate_limit_auth) },
	[LIMIT_FAILED] = { "failed-auth", "failed authentications from this address",
	    "RATE_LIMIT_FAILED_AUTH_PER_MIN", offsetof(struct conf, rate_limit_failed_auth) },
};

enum { NLIMITS = sizeof LIMITS / sizeof LIMITS[0] };

static struct metric LIMITED = METRIC_COUNTER(
    "cti_rate_limited_total", "Requests refused because of a limit, by limit.", "limit");

/* Per minute; 0: no limit. */
static int64_t
quota_of(const struct conf *c, enum limit_class class)
{
	return *(const conf_INT *)((const char *)c + LIMITS[class].quota);
}

/* The class and who is counted, in one. */
static struct str
caller_id(enum limit_class class, struct str id, char out[ID_BYTES])
{
	if (id.n > ID_BYTES - 1)
		id.n = ID_BYTES - 1;
	out[0] = (char)class;
	memcpy(out + 1, id.p, id.n);
	return (struct str){ out, id.n + 1 };
}

static void
add_fields(struct http_res *res, enum limit_class class, int64_t quota, struct limit_state s)
{
	AUTO_RELEASE(buf_release) struct buf policy = BUF(FIELD_BYTES);
	AUTO_RELEASE(buf_release) struct buf now = BUF(FIELD_BYTES);

	buf_add_fmt(&policy, "\"%s\";q=%" PRId64 ";w=60", LIMITS[class].name, quota);
	buf_add_fmt(&now, "\"%s\";r=%" PRId64 ";t=%" PRId64, LIMITS[class].name, s.left, s.reset_s);
	http_header_add(res, "RateLimit-Policy", buf_str(&policy));
	http_header_add(res, "RateLimit", buf_str(&now));
}

static enum err_code
refuse(struct http_res *res, enum limit_class class, int64_t quota, struct limit_state s,
    struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf seconds = BUF(FIELD_BYTES);

	metric_add(&LIMITED, LIMITS[class].name, 1);
	buf_add_fmt(&seconds, "%" PRId64, s.reset_s);
	http_header_add(res, "Retry-After", buf_str(&seconds));
	return err_set(e, ERR_RATE_LIMITED,
	    "more than %" PRId64 " %s in a minute; try again in %" PRId64 " s", quota,
	    LIMITS[class].what, s.reset_s);
}

static struct str
bytes_of(const struct limits_address *a)
{
	return (struct str){ (const char *)a->addr.b, sizeof a->addr.b };
}

struct limits_address
limits_address_of(struct http_req *req)
{
	const struct apid *api = req->self;

	return (struct limits_address){ api, client_addr_of(req, api->conf->trusted_proxy_hops) };
}

enum err_code
limits_take(struct http_req *req, struct http_res *res, enum limit_class class, struct str id,
    struct err *e)
{
	const struct apid *api = req->self;
	int64_t quota = quota_of(api->conf, class);
	struct limits_address from;
	char bytes[ID_BYTES];
	struct limit_state s;

	if (quota == 0)
		return ERR_OK;
	if (id.p == NULL) {
		from = limits_address_of(req);
		id = bytes_of(&from);
	}
	s = limiter_take(api->limiter, caller_id(class, id, bytes), quota, clock_mono_ms());
	add_fields(res, class, quota, s);
	return s.allowed ? ERR_OK : refuse(res, class, quota, s, e);
}

enum err_code
limits_check_failures(struct http_req *req, struct http_res *res, struct err *e)
{
	const struct apid *api = req->self;
	const struct limits_address from = limits_address_of(req);
	int64_t quota = quota_of(api->conf, LIMIT_FAILED);
	char bytes[ID_BYTES];
	struct limit_state s;

	if (quota == 0)
		return ERR_OK;
	s = limiter_look(
	    api->limiter, caller_id(LIMIT_FAILED, bytes_of(&from), bytes), quota, clock_mono_ms());
	if (s.allowed)
		return ERR_OK;
	add_fields(res, LIMIT_FAILED, quota, s);
	return refuse(res, LIMIT_FAILED, quota, s, e);
}

enum err_code
limits_note_failure(struct http_req *req, struct http_res *res, struct err *e)
{
	return limits_take(req, res, LIMIT_FAILED, STR_NONE, e);
}

void
limits_note_later(const struct limits_address *from)
{
	int64_t quota = quota_of(from->api->conf, LIMIT_FAILED);
	char bytes[ID_BYTES];

	if (quota > 0)
		(void)limiter_take(from->api->limiter,
		    caller_id(LIMIT_FAILED, bytes_of(from), bytes), quota, clock_mono_ms());
}

void
limits_describe(const struct conf *c, struct buf *out)
{
	for (int i = 0; i < NLIMITS; i++) {
		if (quota_of(c, (enum limit_class)i) == 0)
			buf_add_fmt(out, "%s%s", out->n == 0 ? "" : ", ", LIMITS[i].variable);
	}
}

#include "common/https/https.h"

#include "common/base/own.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
	IDLE_HANDLES = 8, /* kept for their connections */
	CONNECT_MS = 5000,
	MAX_HEADER_BYTES = 32 * 1024,
};

struct https {
	struct https_opts o;
	atomic_bool aborted;
	pthread_mutex_t lock;
	CURL *idle[IDLE_HANDLES]; /* under lock */
	int nidle;
};

/* One request while it runs. */
struct sending {
	const struct https *h;
	const struct https_req *r;
	struct buf *body;
	struct curl_slist *headers;
};

OWN_DEFINE(curlu, CURLU *, NULL, curl_url_cleanup)
OWN_DEFINE(curl_text, char *, NULL, curl_free)

/* ---- the client ---- */

enum err_code
https_new(const struct https_opts *o, struct https **out, struct err *e)
{
	struct https *h;

	if (o->ca_file[0] != '\0' && access(o->ca_file, R_OK) != 0)
		return err_set(e, ERR_INVALID, "%s: %s", o->ca_file, strerror(errno));
	h = calloc(1, sizeof *h);
	if (h == NULL)
		abort();
	h->o = *o;
	(void)pthread_mutex_init(&h->lock, NULL);
	*out = h;
	return ERR_OK;
}

void
https_free(struct https *h)
{
	if (h == NULL)
		return;
	while (h->nidle > 0)
		curl_easy_cleanup(h->idle[--h->nidle]);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

void
https_abort(struct https *h)
{
	atomic_store(&h->aborted, true);
}

void
https_answer_release(struct https_answer *a)
{
	buf_wipe(&a->body);
	buf_release(&a->body);
}

/* ---- which URLs ---- */

static bool
is_loopback(const char *host)
{
	return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0
	    || strcmp(host, "localhost") == 0;
}

static bool
has_part(CURLU *u, CURLUPart part)
{
	AUTO(curl_text) char *text = NULL;

	return curl_url_get(u, part, &text, 0) == CURLUE_OK;
}

static enum err_code
parse_url(const struct https *h, const char *url, CURLU **out, struct err *e)
{
	AUTO(curlu) CURLU *u = curl_url();
	AUTO(curl_text) char *scheme = NULL;
	AUTO(curl_text) char *host = NULL;

	if (u == NULL)
		abort();
	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK
	    || curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK
	    || curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return err_set(e, ERR_INVALID, "not a URL");
	if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		return err_set(e, ERR_INVALID, "a URL with a user or password in it");
	if (strcmp(scheme, "https") != 0
	    && !(h->o.allow_loopback && strcmp(scheme, "http") == 0 && is_loopback(host)))
		return err_set(
		    e, ERR_INVALID, "a URL that does not begin with https:// (%.100s)", host);
	*out = TAKE(u);
	return ERR_OK;
}

enum err_code
https_check_url(const struct https *h, const char *url, struct err *e)
{
	AUTO(curlu) CURLU *u = NULL;

	return parse_url(h, url, &u, e);
}

/* ---- handles: each has the connections it has used ---- */

static void
global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

/* libcurl is made ready by the first request: a daemon that sends none spares the memory. */
static CURL *
handle_take(struct https *h)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CURL *c = NULL;

	(void)pthread_once(&once, global_init);

	(void)pthread_mutex_lock(&h->lock);
	if (h->nidle > 0)
		c = h->idle[--h->nidle];
	(void)pthread_mutex_unlock(&h->lock);
	if (c == NULL)
		c = curl_easy_init();
	if (c == NULL)
		abort();
	return c;
}

/* Reset here, so that no idle handle holds a token or a pointer of its last request. */
static void
handle_put(struct https *h, CURL *c)
{
	curl_easy_reset(c);
	(void)pthread_mutex_lock(&h->lock);
	if (h->nidle < IDLE_HANDLES) {
		h->idle[h->nidle++] = c;
		c = NULL;
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (c != NULL)
		curl_easy_cleanup(c);
}

/* ---- one request ---- */

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct sending *s = arg;

	buf_add(s->body, p, size * n);
	return s->body->failed ? 0 : size * n;
}

/* libcurl calls it at least once a second. */
static int
on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
	const struct sending *s = arg;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	return !s->r->unabortable && atomic_load(&s->h->aborted) ? 1 : 0;
}

/* A header cannot bring another one along. Without a value libcurl leaves it out. */
static enum err_code
add_header(struct sending *s, const char *name, struct str value, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf line = BUF(MAX_HEADER_BYTES);
	struct curl_slist *longer;

	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return err_set(
			    e, ERR_INVALID, "header %s: a control character in its value", name);
	}
	buf_add_fmt(&line, value.n > 0 ? "%s: " : "%s:", name);
	buf_add_str(&line, value);
	if (line.failed)
		return err_set(e, ERR_INVALID, "header %s: too long", name);
	longer = curl_slist_append(s->headers, buf_c(&line));
	buf_wipe(&line);
	if (longer == NULL)
		abort();
	s->headers = longer;
	return ERR_OK;
}

static void
free_headers(struct sending *s)
{
	for (struct curl_slist *l = s->headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(s->headers);
	s->headers = NULL;
}

static enum err_code
build_headers(struct sending *s, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf bearer = BUF(MAX_HEADER_BYTES);
	enum err_code rc = ERR_OK;

	if (s->r->bearer.p != NULL) {
		buf_add_c(&bearer, "Bearer ");
		buf_add_str(&bearer, s->r->bearer);
		rc = add_header(s, "Authorization", buf_str(&bearer), e);
		buf_wipe(&bearer);
	}
	if (rc == ERR_OK && s->r->body.p != NULL)
		rc = add_header(s, "Content-Type", str_of(s->r->body_type), e);
	else if (rc == ERR_OK)
		rc = add_header(s, "Content-Type", STR_NONE, e); /* or libcurl would add one */
	for (int i = 0; rc == ERR_OK && i < s->r->nheaders; i++)
		rc = add_header(s, s->r->headers[i].name, s->r->headers[i].value, e);
	return rc;
}

static void
set_limits(CURL *c, const struct sending *s)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, s->h->o.allow_loopback ? "https,http" : "https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)s->r->timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (s->h->o.ca_file[0] != '\0') {
		curl_easy_setopt(c, CURLOPT_CAINFO, s->h->o.ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
}

static void
set_request(CURL *c, struct sending *s, CURLU *url)
{
	const struct https_req *r = s->r;

	curl_easy_setopt(c, CURLOPT_CURLU, url);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_USERAGENT, s->h->o.user_agent);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, s->headers);
	if (strcmp(r->method, "GET") != 0) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.p == NULL ? "" : r->body.p);
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
		/* On a connection that turns out dead libcurl sends a request again: not one that
		 * does something. */
		curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	}
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, s);
}

static enum err_code
explain(CURL *c, CURLcode code, const struct sending *s, const char *host, struct err *e)
{
	long sent = 0;
	enum err_code class;

	(void)curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &sent);
	class = s->body->failed ? ERR_TOO_LARGE : sent > 0 ? ERR_UNCERTAIN : ERR_UNAVAILABLE;
	if (class == ERR_TOO_LARGE)
		return err_set(e, class, "%s %s: the answer is larger than %zu bytes", s->r->method,
		    host, s->body->max);
	return err_set(e, class, "%s %s: %s", s->r->method, host, curl_easy_strerror(code));
}

static void
read_answer(CURL *c, struct https_answer *a)
{
	curl_off_t retry_after_s = 0;
	long status = 0;

	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &retry_after_s);
	a->status = (int)status;
	a->retry_after_ms = (int64_t)retry_after_s * 1000;
}

static enum err_code
perform(struct https *h, struct sending *s, CURLU *url, struct https_answer *a, struct err *e)
{
	AUTO(curl_text) char *host = NULL;
	CURL *c = handle_take(h);
	CURLcode code;
	enum err_code rc = ERR_OK;

	(void)curl_url_get(url, CURLUPART_HOST, &host, 0);
	set_limits(c, s);
	set_request(c, s, url);
	code = curl_easy_perform(c);
	if (code == CURLE_OK)
		read_answer(c, a);
	else
		rc = explain(c, code, s, host, e);
	handle_put(h, c);
	return rc;
}

enum err_code
https_send(struct https *h, const struct https_req *r, struct https_answer *out, struct err *e)
{
	struct https_answer a = { .body = BUF(r->max_answer_bytes) };
	struct sending s = { .h = h, .r = r, .body = &a.body };
	AUTO(curlu) CURLU *url = NULL;
	enum err_code rc;

	if (atomic_load(&h->aborted))
		return err_set(
		    e, ERR_UNAVAILABLE, "%s: not sent, the daemon is stopping", r->method);
	rc = parse_url(h, r->url, &url, e);
	if (rc == ERR_OK)
		rc = build_headers(&s, e);
	if (rc == ERR_OK)
		rc = perform(h, &s, url, &a, e);
	free_headers(&s);
	if (rc == ERR_OK)
		*out = a;
	else
		https_answer_release(&a);
	return rc;
}

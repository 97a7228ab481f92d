#include "common/conf/conf_dialpad.h"

enum { MAX_SCOPES_BYTES = 4096 };

/* The names of one environment's options. */
struct names {
	const char *client_id, *client_secret, *redirect_uri, *base_url;
};

static const struct names SANDBOX = { "DIALPAD_SANDBOX_CLIENT_ID", "DIALPAD_SANDBOX_CLIENT_SECRET",
	"DIALPAD_SANDBOX_REDIRECT_URI", "DIALPAD_SANDBOX_BASE_URL" };
static const struct names PRODUCTION = { "DIALPAD_PROD_CLIENT_ID", "DIALPAD_PROD_CLIENT_SECRET",
	"DIALPAD_PROD_REDIRECT_URI", "DIALPAD_PROD_BASE_URL" };

static const struct names *
names_of(const struct conf *c)
{
	return c->production ? &PRODUCTION : &SANDBOX;
}

static void
choose(struct conf *c)
{
	struct conf_dialpad *d = &c->dialpad;

	d->client_id = c->production ? c->prod_client_id : c->sandbox_client_id;
	d->client_secret = c->production ? c->prod_client_secret : c->sandbox_client_secret;
	d->redirect_uri = c->production ? c->prod_redirect_uri : c->sandbox_redirect_uri;
	d->base_url = c->production ? c->prod_base_url : c->sandbox_base_url;
	d->client_id_name = names_of(c)->client_id;
	d->base_url_name = names_of(c)->base_url;
}

/* ---- URLs ---- */

struct str
conf_origin(struct str url)
{
	struct str rest;
	size_t host;

	if (str_starts_nocase(url, STR("https://")))
		rest = (struct str){ url.p + 8, url.n - 8 };
	else if (str_starts_nocase(url, STR("http://")))
		rest = (struct str){ url.p + 7, url.n - 7 };
	else
		return STR_NONE;
	for (host = 0; host < rest.n && strchr("/?#", rest.p[host]) == NULL; host++)
		;
	return host == 0 ? STR_NONE : (struct str){ url.p, (size_t)(rest.p - url.p) + host };
}

/* Plain http is for a Dialpad, and a browser, on this machine. */
static int
check_url(const struct conf *c, const char *name, const char *url, struct buf *faults)
{
	struct str text = str_of(url);

	if (text.n == 0)
		return 0;
	if (conf_origin(text).p == NULL || memchr(text.p, '#', text.n) != NULL) {
		buf_add_fmt(faults, "%s: \"%.100s\" is no http or https URL\n", name, url);
		return 1;
	}
	if (c->production && !str_starts_nocase(text, STR("https://"))) {
		buf_add_fmt(
		    faults, "%s: \"%.100s\" must begin with https:// in production\n", name, url);
		return 1;
	}
	return 0;
}

static int
resolve_urls(struct conf *c, struct buf *faults)
{
	struct conf_dialpad *d = &c->dialpad;
	struct str base = str_of(d->base_url);
	int nfaults = check_url(c, names_of(c)->redirect_uri, d->redirect_uri, faults);

	nfaults += check_url(c, names_of(c)->base_url, d->base_url, faults);
	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	d->base_url = arena_cstr(&c->owned, base);
	return nfaults;
}

/* ---- the client ---- */

/* One alone is a mistake; without any of them Dialpad cannot be connected, and nothing else. */
static int
check_client(const struct conf *c, enum conf_daemon daemon, struct buf *faults)
{
	const struct conf_dialpad *d = &c->dialpad;
	const struct names *n = names_of(c);
	const struct {
		const char *name, *value;
	} parts[] = { { n->client_id, d->client_id }, { n->client_secret, d->client_secret },
		{ n->redirect_uri, d->redirect_uri } };
	size_t nparts = daemon == CONF_APID ? 3 : 2, nset = 0;
	int nfaults = 0;

	for (size_t i = 0; i < nparts; i++)
		nset += parts[i].value[0] != '\0';
	for (size_t i = 0; i < nparts; i++) {
		if (nset == 0 || parts[i].value[0] != '\0')
			continue;
		buf_add_fmt(faults, "%s is missing: connecting Dialpad needs it beside the %s\n",
		    parts[i].name, daemon == CONF_APID ? "others" : "other");
		nfaults++;
	}
	return nfaults;
}

/* ---- scopes ---- */

static bool
is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == ',' || ch == '\n' || ch == '\r';
}

/* The next word of a list, which is taken from its front; empty at the end. */
static struct str
next_word(struct str *list)
{
	struct str word;

	while (list->n > 0 && is_blank(list->p[0])) {
		list->p++;
		list->n--;
	}
	word = (struct str){ list->p, 0 };
	while (word.n < list->n && !is_blank(list->p[word.n]))
		word.n++;
	list->p += word.n;
	list->n -= word.n;
	return word;
}

static bool
has_scope(struct str list, struct str scope)
{
	struct str word;

	while ((word = next_word(&list)).n > 0)
		if (str_eq(word, scope))
			return true;
	return false;
}

/* Around the whole of it: an .env file's quotes that a hosting service took for part of the value. */
static struct str
unquote(struct str s)
{
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return (struct str){ s.p + 1, s.n - 2 };
	return s;
}

static void
resolve_scopes(struct conf *c)
{
	AUTO_RELEASE(buf_release) struct buf list = BUF(MAX_SCOPES_BYTES);
	struct str rest = unquote(str_of(c->scopes)), word;

	while ((word = next_word(&rest)).n > 0) {
		if (str_eq(word, STR("webhook")) || has_scope(buf_str(&list), word))
			continue;
		if (list.n > 0)
			buf_add_char(&list, ' ');
		buf_add_str(&list, word);
	}
	c->dialpad.scopes = arena_cstr(&c->owned, buf_str(&list));
}

int
conf_dialpad_resolve(struct conf *c, enum conf_daemon daemon, struct buf *faults)
{
	int nfaults;

	choose(c);
	resolve_scopes(c);
	nfaults = resolve_urls(c, faults);
	if (daemon != CONF_INGESTD)
		nfaults += check_client(c, daemon, faults);
	return nfaults;
}

void
conf_dialpad_warnings(const struct conf *c, struct buf *out)
{
	const struct conf_dialpad *d = &c->dialpad;
	struct str scopes = str_of(d->scopes);

	if (has_scope(unquote(str_of(c->scopes)), STR("webhook")))
		buf_add_c(out,
		    "DIALPAD_SCOPES: left out \"webhook\", which Dialpad does not have; "
		    "webhooks need no scope\n");
	if (d->client_id[0] == '\0' || d->redirect_uri[0] == '\0')
		return;
	if (!has_scope(scopes, STR("message_content_export"))
	    && !has_scope(scopes, STR("message_content_export:all")))
		buf_add_c(out,
		    "DIALPAD_SCOPES lacks message_content_export: texts will come "
		    "without their text\n");
	if (!has_scope(scopes, STR("offline_access")))
		buf_add_c(out,
		    "DIALPAD_SCOPES lacks offline_access: when a token expires, Dialpad "
		    "has to be connected again by hand\n");
}

/*
 * fake_dialpad - a server on this machine that gives the answers it was told to give.
 *
 * Use:      fake_start(); set fake.answer; look at what came in fake.last; fake_stop().
 * Owns:     its server, and what it remembers.
 * Threads:  the server's own write under fake.lock.
 * Errors:   a failed start fails the test.
 * Not for:  Dialpad's rules: test/sim knows those.
 */
#ifndef CTI_FAKE_DIALPAD_H
#define CTI_FAKE_DIALPAD_H

#include "common/base/clock.h"
#include "common/conf/conf.h"
#include "common/http/http_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { FAKE_BYTES = 64 * 1024, FAKE_THREADS = 60 };

static struct {
	pthread_mutex_t lock;
	struct http_server *server;
	char base_url[64];
	atomic_int requests;
	struct {
		int status;
		const char *body, *header, *header_value; /* header NULL: none */
		int64_t delay_ms;
	} answer;
	struct {
		char method[16], path[200], query[400];
		char authorization[200], content_type[100];
		struct buf body;
	} last;
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
fake_copy(char *to, size_t size, struct str from)
{
	(void)snprintf(to, size, "%.*s", STR_ARG(from));
}

static void
fake_note(const struct http_req *req)
{
	size_t at = 0;

	fake_copy(fake.last.method, sizeof fake.last.method, req->method);
	fake_copy(fake.last.path, sizeof fake.last.path, req->path);
	fake.last.query[0] = '\0';
	for (int i = 0; i < req->nquery && at < sizeof fake.last.query; i++)
		at += (size_t)snprintf(fake.last.query + at, sizeof fake.last.query - at,
		    "%.*s=%.*s;", STR_ARG(req->query[i].name), STR_ARG(req->query[i].value));
	fake_copy(fake.last.authorization, sizeof fake.last.authorization,
	    http_header(req, "Authorization"));
	fake_copy(fake.last.content_type, sizeof fake.last.content_type,
	    http_header(req, "Content-Type"));
	buf_clear(&fake.last.body);
	buf_add_str(&fake.last.body, req->body);
}

static enum err_code
fake_handle(struct http_req *req, struct http_res *res, struct err *e)
{
	int64_t delay_ms;

	(void)e;
	pthread_mutex_lock(&fake.lock);
	fake.requests++;
	fake_note(req);
	res->status = fake.answer.status;
	buf_add_c(&res->body, fake.answer.body == NULL ? "" : fake.answer.body);
	if (fake.answer.header != NULL)
		http_header_add(res, fake.answer.header, str_of(fake.answer.header_value));
	delay_ms = fake.answer.delay_ms;
	pthread_mutex_unlock(&fake.lock);
	clock_sleep_ms(delay_ms);
	return ERR_OK;
}

static void
fake_start(void)
{
	static const struct http_route routes[] = {
		{ "GET", "/**", HTTP_AUTH_NONE, FAKE_BYTES, fake_handle },
		{ "POST", "/**", HTTP_AUTH_NONE, FAKE_BYTES, fake_handle },
		{ "DELETE", "/**", HTTP_AUTH_NONE, FAKE_BYTES, fake_handle },
	};
	struct err e;

	buf_init(&fake.last.body, FAKE_BYTES);
	if (http_server_start(
		&(struct http_server_opts){
		    .address = "127.0.0.1",
		    .threads = FAKE_THREADS,
		    .routes = routes,
		    .nroutes = sizeof routes / sizeof routes[0],
		    .request_ms = 5000,
		},
		&fake.server, &e)
	    != ERR_OK)
		fail_msg("%s", e.msg);
	(void)snprintf(fake.base_url, sizeof fake.base_url, "http://127.0.0.1:%d",
	    http_server_port(fake.server));
}

static void
fake_stop(void)
{
	http_server_drain(fake.server, 5000);
	http_server_stop(fake.server);
	buf_release(&fake.last.body);
}

/* What the next requests are answered. */
static void
fake_answers(int status, const char *body)
{
	pthread_mutex_lock(&fake.lock);
	fake.requests = 0;
	fake.answer.status = status;
	fake.answer.body = body;
	fake.answer.header = NULL;
	fake.answer.delay_ms = 0;
	pthread_mutex_unlock(&fake.lock);
}

/* A configuration whose Dialpad is the fake one. */
static inline struct conf
fake_conf(void)
{
	return (struct conf){
		.https_ca_file = "",
		.dialpad = {
			.client_id = "client",
			.client_secret = "client-secret",
			.redirect_uri = "http://127.0.0.1/auth/dialpad/callback",
			.base_url = fake.base_url,
			.scopes = "calls:list offline_access",
			.client_id_name = "DIALPAD_SANDBOX_CLIENT_ID",
			.base_url_name = "DIALPAD_SANDBOX_BASE_URL",
		},
	};
}

#endif

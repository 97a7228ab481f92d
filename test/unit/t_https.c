/* common/https against a server on this machine: limits, failures, and what it refuses to send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/https/https.h"
#include "test/unit/fake_dialpad.h"

#include <netinet/in.h>
#include <sys/socket.h>

static struct https *client;

static struct https_req
request(const char *method, const char *path)
{
	static char url[200];

	(void)snprintf(url, sizeof url, "%s%s", fake.base_url, path);
	return (struct https_req){
		.method = method,
		.url = url,
		.timeout_ms = 5000,
		.max_answer_bytes = 1000,
	};
}

/* Of a request that must fail. */
static struct err
failure(const struct https_req *r)
{
	struct https_answer a;
	struct err e;

	assert_int_not_equal(https_send(client, r, &a, &e), ERR_OK);
	return e;
}

/* The status of a request that must be answered. */
static int
status_of(const struct https_req *r)
{
	struct https_answer a;
	struct err e;
	int status;

	if (https_send(client, r, &a, &e) != ERR_OK)
		fail_msg("%s", e.msg);
	status = a.status;
	https_answer_release(&a);
	return status;
}

static void
a_request_goes_out_as_given_and_the_answer_comes_back(void **state)
{
	struct https_req r = request("POST", "/a/b?c=d%20e");
	struct https_answer a;
	struct err e;

	(void)state;
	r.bearer = STR("tok");
	r.body = STR("{\"x\":1}");
	r.body_type = "application/json";
	fake_answers(201, "hello");
	assert_int_equal(https_send(client, &r, &a, &e), ERR_OK);
	assert_int_equal(a.status, 201);
	assert_string_equal(buf_c(&a.body), "hello");
	https_answer_release(&a);
	assert_string_equal(fake.last.method, "POST");
	assert_string_equal(fake.last.path, "/a/b");
	assert_string_equal(fake.last.query, "c=d e;");
	assert_string_equal(fake.last.authorization, "Bearer tok");
	assert_string_equal(fake.last.content_type, "application/json");
	assert_string_equal(buf_c(&fake.last.body), "{\"x\":1}");
}

static void
nothing_of_a_request_is_left_for_the_next_one(void **state)
{
	struct https_req r = request("POST", "/first");

	(void)state;
	r.bearer = STR("tok");
	r.body = STR("x");
	r.body_type = "text/plain";
	fake_answers(200, "");
	assert_int_equal(status_of(&r), 200);
	r = request("DELETE", "/second");
	assert_int_equal(status_of(&r), 200);
	assert_string_equal(fake.last.method, "DELETE");
	assert_string_equal(fake.last.authorization, "");
	assert_string_equal(fake.last.content_type, "");
	assert_int_equal(fake.last.body.n, 0);
	r = request("GET", "/third");
	assert_int_equal(status_of(&r), 200);
	assert_string_equal(fake.last.method, "GET");
}

static void
every_status_is_an_answer_and_redirects_are_not_followed(void **state)
{
	static const int statuses[] = { 200, 302, 404, 500 };
	struct https_req r = request("GET", "/");

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		fake_answers(statuses[i], "");
		fake.answer.header = "Location";
		fake.answer.header_value = fake.base_url;
		assert_int_equal(status_of(&r), statuses[i]);
		assert_int_equal(fake.requests, 1);
	}
}

static void
retry_after_is_read(void **state)
{
	struct https_req r = request("GET", "/");
	struct https_answer a;
	struct err e;

	(void)state;
	fake_answers(429, "");
	fake.answer.header = "Retry-After";
	fake.answer.header_value = "7";
	assert_int_equal(https_send(client, &r, &a, &e), ERR_OK);
	assert_int_equal(a.retry_after_ms, 7000);
	https_answer_release(&a);
}

static void
an_answer_over_the_limit_is_too_large(void **state)
{
	static char body[1002];
	struct https_req r = request("GET", "/");

	(void)state;
	memset(body, 'x', 1000);
	fake_answers(200, body);
	assert_int_equal(status_of(&r), 200);
	body[1000] = 'x';
	assert_int_equal(failure(&r).code, ERR_TOO_LARGE);
	memset(body, 0, sizeof body);
}

static void
an_answer_that_comes_too_late_is_uncertain(void **state)
{
	struct https_req r = request("GET", "/");
	int64_t begun = clock_mono_ms();

	(void)state;
	fake_answers(200, "");
	fake.answer.delay_ms = 1500;
	r.timeout_ms = 300;
	assert_int_equal(failure(&r).code, ERR_UNCERTAIN);
	assert_true(clock_mono_ms() - begun < 1400);
	clock_sleep_ms(1600); /* until the server has done with it */
}

/* A port that nobody listens on. */
static int
closed_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	AUTO(fd) int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_return_code(bind(fd, (struct sockaddr *)&at, n), 0);
	assert_return_code(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	return ntohs(at.sin_port);
}

static void
a_server_that_is_not_there_is_unavailable(void **state)
{
	char url[64];
	struct https_req r = request("POST", "/");
	struct err e;

	(void)state;
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/secret-path", closed_port());
	r.url = url;
	e = failure(&r);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_null(strstr(e.msg, "secret-path"));
	assert_non_null(strstr(e.msg, "127.0.0.1"));
}

static void
only_https_is_allowed_and_plain_http_to_this_machine_for_tests(void **state)
{
	static const struct {
		const char *url;
		bool in_tests, in_production;
	} cases[] = {
		{ "https://dialpad.com/x", true, true },
		{ "HTTPS://dialpad.com/x", true, true },
		{ "http://127.0.0.1:8080/", true, false },
		{ "http://localhost/", true, false },
		{ "http://[::1]/", true, false },
		{ "http://127.0.0.1.example.com/", false, false },
		{ "http://127.0.0.1@example.com/", false, false },
		{ "http://dialpad.com/", false, false },
		{ "https://user:pw@dialpad.com/", false, false },
		{ "https://user@dialpad.com/", false, false },
		{ "file:///etc/passwd", false, false },
		{ "ftp://127.0.0.1/", false, false },
		{ "dialpad.com", false, false },
		{ "", false, false },
	};
	struct https *strict;
	struct https_req r = request("GET", "/");
	struct err e;

	(void)state;
	assert_int_equal(https_new(&(struct https_opts){ "t", "", false }, &strict, &e), ERR_OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if ((https_check_url(client, cases[i].url, &e) == ERR_OK) != cases[i].in_tests
		    || (https_check_url(strict, cases[i].url, &e) == ERR_OK)
			!= cases[i].in_production)
			fail_msg("%s", cases[i].url);
	}
	fake_answers(200, "");
	assert_int_equal(https_send(strict, &r, NULL, &e), ERR_INVALID);
	assert_int_equal(fake.requests, 0);
	https_free(strict);
}

static void
a_header_cannot_bring_another_one_along(void **state)
{
	struct https_req r = request("GET", "/");

	(void)state;
	fake_answers(200, "");
	r.bearer = STR("x\r\nX-Other: y");
	assert_int_equal(failure(&r).code, ERR_INVALID);
	assert_int_equal(fake.requests, 0);
}

/* ---- many at once, and the end ---- */

static void *
send_many(void *arg)
{
	int *good = arg;

	for (int i = 0; i < 20; i++) {
		char url[100];
		struct https_req r = { "GET", url, .timeout_ms = 5000, .max_answer_bytes = 100 };
		struct https_answer a;
		struct err e;

		(void)snprintf(url, sizeof url, "%s/many", fake.base_url);
		if (https_send(client, &r, &a, &e) != ERR_OK)
			continue;
		*good += a.status == 200;
		https_answer_release(&a);
	}
	return NULL;
}

static void
many_threads_send_at_once(void **state)
{
	enum { THREADS = 12 };
	pthread_t threads[THREADS];
	int good[THREADS] = { 0 }, sum = 0;

	(void)state;
	fake_answers(200, "ok");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, &good[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += good[i];
	}
	assert_int_equal(sum, THREADS * 20);
	assert_int_equal(fake.requests, THREADS * 20);
}

struct slow {
	struct https *h;
	bool unabortable;
	enum err_code rc;
};

static void *
send_slow(void *arg)
{
	struct slow *s = arg;
	char url[100];
	struct https_req r = { "POST", url, .timeout_ms = 8000, .max_answer_bytes = 100,
		.unabortable = s->unabortable };
	struct https_answer a;
	struct err e;

	(void)snprintf(url, sizeof url, "%s/slow", fake.base_url);
	s->rc = https_send(s->h, &r, &a, &e);
	if (s->rc == ERR_OK)
		https_answer_release(&a);
	return NULL;
}

static void
an_abort_ends_what_is_under_way_but_for_what_must_end_by_itself(void **state)
{
	struct https *h;
	struct slow slow[2] = { { .unabortable = false }, { .unabortable = true } };
	pthread_t threads[2];
	struct https_req r = request("GET", "/");
	struct https_answer a;
	int64_t begun;
	struct err e;

	(void)state;
	assert_int_equal(https_new(&(struct https_opts){ "t", "", true }, &h, &e), ERR_OK);
	fake_answers(200, "");
	fake.answer.delay_ms = 4000;
	for (int i = 0; i < 2; i++) {
		slow[i].h = h;
		assert_int_equal(pthread_create(&threads[i], NULL, send_slow, &slow[i]), 0);
	}
	while (fake.requests < 2)
		clock_sleep_ms(5);
	begun = clock_mono_ms();
	https_abort(h);
	pthread_join(threads[0], NULL);
	assert_true(clock_mono_ms() - begun < 3000);
	assert_int_equal(slow[0].rc, ERR_UNCERTAIN);
	pthread_join(threads[1], NULL);
	assert_int_equal(slow[1].rc, ERR_OK);
	assert_int_equal(https_send(h, &r, &a, &e), ERR_UNAVAILABLE);
	https_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_out_as_given_and_the_answer_comes_back),
		cmocka_unit_test(nothing_of_a_request_is_left_for_the_next_one),
		cmocka_unit_test(every_status_is_an_answer_and_redirects_are_not_followed),
		cmocka_unit_test(retry_after_is_read),
		cmocka_unit_test(an_answer_over_the_limit_is_too_large),
		cmocka_unit_test(an_answer_that_comes_too_late_is_uncertain),
		cmocka_unit_test(a_server_that_is_not_there_is_unavailable),
		cmocka_unit_test(only_https_is_allowed_and_plain_http_to_this_machine_for_tests),
		cmocka_unit_test(a_header_cannot_bring_another_one_along),
		cmocka_unit_test(many_threads_send_at_once),
		cmocka_unit_test(an_abort_ends_what_is_under_way_but_for_what_must_end_by_itself),
	};
	struct err e;
	int failed;

	fake_start();
	if (https_new(&(struct https_opts){ "t_https", "", true }, &client, &e) != ERR_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	https_free(client);
	fake_stop();
	return failed;
}

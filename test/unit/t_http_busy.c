/* common/http under load and at the end: shedding, draining, stopping, and the operations port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/http/http_ops.h"
#include "test/unit/raw_http.h"
#include "test/unit/server_kit.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { THREADS = 3, AT_ONCE_MS = 2000, PROBES = 2, PROBE_MS = 200 };

#define SLOW "GET /slow HTTP/1.1\r\n\r\n"
#define FAST "GET /fast HTTP/1.1\r\n\r\n"

/* What a daemon's own port hands to the handlers begins with its operations port. */
static struct {
	struct http_ops *ops;
} self;

static int ops_port;
static atomic_int inside;   /* requests in slow() */
static atomic_bool release; /* lets them go */
static atomic_bool ready;
static atomic_bool drained;
static atomic_int errors_logged;

static enum err_code
slow(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	atomic_fetch_add(&inside, 1);
	while (!atomic_load(&release))
		clock_sleep_ms(5);
	atomic_fetch_sub(&inside, 1);
	buf_add_c(&res->body, "\"late\"");
	return ERR_OK;
}

static enum err_code
fast(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	buf_add_c(&res->body, "\"soon\"");
	return ERR_OK;
}

static const struct http_route routes[] = {
	{ "GET", "/slow", HTTP_AUTH_NONE, 0, slow },
	{ "GET", "/fast", HTTP_AUTH_NONE, 0, fast },
	{ "GET", "/healthz", HTTP_AUTH_NONE, 0, http_ops_healthz },
	{ "GET", "/readyz", HTTP_AUTH_NONE, 0, http_ops_readyz },
};

static bool
is_ready(void *arg, struct json_out *j)
{
	clock_sleep_ms(PROBE_MS);
	jo_kv_bool(j, "database", atomic_load(&ready));
	return arg == &self && atomic_load(&ready);
}

static void
count_errors(struct str line, void *arg)
{
	(void)arg;
	if (memmem(line.p, line.n, "error", 5) != NULL)
		atomic_fetch_add(&errors_logged, 1);
}

static void
wait_until_inside(int n)
{
	for (int i = 0; i < 4000 && atomic_load(&inside) != n; i++)
		clock_sleep_ms(5);
	assert_int_equal(atomic_load(&inside), n);
}

static void
fill_threads(int fds[THREADS])
{
	atomic_store(&release, false);
	for (int i = 0; i < THREADS; i++) {
		fds[i] = raw_open(port);
		assert_true(raw_send(fds[i], STR(SLOW)));
	}
	wait_until_inside(THREADS);
}

static void
let_go(const int fds[THREADS])
{
	atomic_store(&release, true);
	for (int i = 0; i < THREADS; i++) {
		struct raw_reply r = raw_receive(fds[i]);

		assert_int_equal(r.status, 200);
		assert_non_null(strstr(r.text, "\"late\""));
	}
	wait_until_inside(0);
}

/* A leave that the client sees before the server has counted it would make this test guess. */
static void
wait_until_served(void)
{
	for (int i = 0; i < 2000; i++) {
		if (raw_ask(port, FAST).status == 200)
			return;
		clock_sleep_ms(5);
	}
	fail_msg("still busy");
}

static void
beyond_its_threads_the_server_says_503_at_once(void **state)
{
	int fds[THREADS];

	(void)state;
	fill_threads(fds);
	for (int i = 0; i < 10; i++) {
		int64_t begun_ms = clock_mono_ms();
		struct raw_reply r = raw_ask(port, FAST);

		assert_int_equal(r.status, 503);
		assert_non_null(strstr(r.text, "\r\nRetry-After: 1\r\n"));
		assert_null(strstr(r.text, "busy"));
		assert_in_range(clock_mono_ms() - begun_ms, 0, AT_ONCE_MS);
	}
	let_go(fds);
	wait_until_served();
	assert_int_equal(atomic_load(&errors_logged), 0);
}

/* A server of its own: one thread, and a second of patience. */
static void
a_request_waits_for_its_turn_where_the_server_lets_it(void **state)
{
	const struct http_server_opts o = {
		.address = "127.0.0.1",
		.threads = 1,
		.wait_ms = 1000,
		.routes = routes,
		.nroutes = sizeof routes / sizeof routes[0],
		.self = &self,
		.request_ms = 5000,
	};
	struct http_server *patient;
	int64_t begun_ms;
	struct err e;
	int first, second;

	(void)state;
	assert_int_equal(http_server_start(&o, &patient, &e), ERR_OK);
	atomic_store(&release, false);
	first = raw_open(http_server_port(patient));
	assert_true(raw_send(first, STR(SLOW)));
	wait_until_inside(1);
	begun_ms = clock_mono_ms();
	assert_int_equal(raw_ask(http_server_port(patient), FAST).status, 503);
	assert_in_range(clock_mono_ms() - begun_ms, 1000, 1000 + AT_ONCE_MS);
	second = raw_open(http_server_port(patient));
	assert_true(raw_send(second, STR(FAST)));
	clock_sleep_ms(50);
	atomic_store(&release, true);
	assert_int_equal(raw_receive(first).status, 200);
	assert_int_equal(raw_receive(second).status, 200);
	http_server_stop(patient);
}

static void
probes_are_answered_while_all_threads_are_busy(void **state)
{
	int fds[THREADS];

	(void)state;
	fill_threads(fds);
	assert_int_equal(raw_ask(port, "GET /healthz HTTP/1.1\r\n\r\n").status, 200);
	assert_int_equal(raw_ask(port, "GET /readyz HTTP/1.1\r\n\r\n").status, 200);
	assert_int_equal(raw_ask(ops_port, "GET /healthz HTTP/1.1\r\n\r\n").status, 200);
	let_go(fds);
	wait_until_served();
}

static void
nobody_is_ready_before_the_daemon_serves(void **state)
{
	struct raw_reply r = raw_ask(ops_port, "GET /readyz HTTP/1.1\r\n\r\n");

	(void)state;
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.text, "{\"database\":true,\"status\":\"starting\"}"));
	http_ops_set_serving(self.ops);
}

static void
metrics_wait_while_probes_are_answered(void **state)
{
	int fds[PROBES];

	(void)state;
	for (int i = 0; i < PROBES; i++) {
		fds[i] = raw_open(ops_port);
		assert_true(raw_send(fds[i], STR("GET /readyz HTTP/1.1\r\n\r\n")));
	}
	clock_sleep_ms(PROBE_MS / 4);
	assert_int_equal(raw_ask(ops_port, "GET /metrics HTTP/1.1\r\n\r\n").status, 200);
	for (int i = 0; i < PROBES; i++)
		assert_int_equal(raw_receive(fds[i]).status, 200);
}

static void
readiness_tells_why(void **state)
{
	struct raw_reply r = raw_ask(ops_port, "GET /readyz HTTP/1.1\r\n\r\n");

	(void)state;
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.text, "{\"database\":true,\"status\":\"ready\"}"));
	atomic_store(&ready, false);
	r = raw_ask(ops_port, "GET /readyz HTTP/1.1\r\n\r\n");
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.text, "{\"database\":false,\"status\":\"not_ready\"}"));
	atomic_store(&ready, true);
}

/* A request is counted after it was answered. */
static struct raw_reply
metrics_with(const char *line)
{
	for (int i = 0; i < 2000; i++) {
		struct raw_reply r = raw_ask(ops_port, "GET /metrics HTTP/1.1\r\n\r\n");

		if (strstr(r.text, line) != NULL)
			return r;
		clock_sleep_ms(5);
	}
	fail_msg("no %s", line);
	return (struct raw_reply){ 0 };
}

static void
the_operations_port_tells_version_and_metrics(void **state)
{
	struct raw_reply r = raw_ask(ops_port, "GET /version HTTP/1.1\r\n\r\n");

	(void)state;
	assert_non_null(strstr(r.text, "{\"name\":\"testd\",\"version\":\""));
	(void)raw_ask(port, "GET /fast?code=hush HTTP/1.1\r\n\r\n");
	(void)raw_ask(port, "GET /hush HTTP/1.1\r\n\r\n");
	r = metrics_with("cti_http_requests_total{route=\"unmatched\",status=\"4xx\"} 1\n");
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.text, "\r\nContent-Type: text/plain; version=0.0.4"));
	assert_non_null(
	    strstr(r.text, "cti_http_requests_total{route=\"GET /fast\",status=\"2xx\"} "));
	assert_non_null(strstr(r.text, "cti_http_request_seconds_count{route=\"GET /fast\"} "));
	assert_null(strstr(r.text, "hush"));
}

static void
signal_all_other_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;

	assert_non_null(tasks);
	while ((task = readdir(tasks)) != NULL) {
		pid_t tid = (pid_t)strtol(task->d_name, NULL, 10);

		if (tid != 0 && tid != getpid())
			assert_return_code(tgkill(getpid(), tid, SIGUSR1), errno);
	}
	(void)closedir(tasks);
}

static void
a_signal_does_not_disturb_a_request(void **state)
{
	int fd = raw_open(port);

	(void)state;
	assert_true(raw_send(fd, STR("GET /fast HTT")));
	clock_sleep_ms(50);
	signal_all_other_threads();
	clock_sleep_ms(50);
	assert_true(raw_send(fd, STR("P/1.1\r\n\r\n")));
	assert_int_equal(raw_receive(fd).status, 200);
}

static void *
drain(void *arg)
{
	(void)arg;
	http_server_drain(server, 5000);
	atomic_store(&drained, true);
	return NULL;
}

/* The last test: the server does not come back from this. */
static void
draining_lets_requests_end_and_takes_no_more(void **state)
{
	struct raw_reply r;
	pthread_t thread;
	int fds[THREADS];

	(void)state;
	fill_threads(fds);
	http_ops_set_draining(self.ops);
	assert_int_equal(pthread_create(&thread, NULL, drain, NULL), 0);
	clock_sleep_ms(50);
	assert_int_equal(raw_ask(port, FAST).status, 503);
	assert_int_equal(raw_ask(port, "GET /healthz HTTP/1.1\r\n\r\n").status, 200);
	r = raw_ask(ops_port, "GET /readyz HTTP/1.1\r\n\r\n");
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.text, "\"status\":\"draining\""));
	assert_false(atomic_load(&drained));
	let_go(fds);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(raw_ask(port, FAST).status, 503);
	fds[0] = raw_open(port);
	http_server_stop(server);
	(void)close(fds[0]);
	server = NULL;
}

static void
ignore(int signo)
{
	(void)signo;
}

static int
start(void **state)
{
	struct err e;

	(void)state;
	(void)signal(SIGUSR1, ignore);
	atomic_store(&ready, true);
	log_init(&(struct log_opts){ .daemon = "testd", .level = LOG_INFO, .json = false });
	log_redirect(count_errors, NULL);
	if (http_ops_start(
		&(struct http_ops_opts){
		    .daemon = "testd",
		    .address = "127.0.0.1",
		    .self = &self,
		    .ready = is_ready,
		},
		&self.ops, &e)
	    != ERR_OK)
		return -1;
	ops_port = http_ops_port(self.ops);
	return serve(&(struct http_server_opts){
	    .threads = THREADS,
	    .routes = routes,
	    .nroutes = sizeof routes / sizeof routes[0],
	    .self = &self,
	    .log_requests = true,
	});
}

static int
stop(void **state)
{
	(void)state;
	atomic_store(&release, true);
	http_server_stop(server);
	http_ops_stop(self.ops);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_ready_before_the_daemon_serves),
		cmocka_unit_test(beyond_its_threads_the_server_says_503_at_once),
		cmocka_unit_test(a_request_waits_for_its_turn_where_the_server_lets_it),
		cmocka_unit_test(probes_are_answered_while_all_threads_are_busy),
		cmocka_unit_test(metrics_wait_while_probes_are_answered),
		cmocka_unit_test(readiness_tells_why),
		cmocka_unit_test(the_operations_port_tells_version_and_metrics),
		cmocka_unit_test(a_signal_does_not_disturb_a_request),
		cmocka_unit_test(draining_lets_requests_end_and_takes_no_more),
	};

	return cmocka_run_group_tests(tests, start, stop);
}

/*
 * dp_token_kit - one connection of one app, and demands for its token.
 *
 * Use:      TOKEN_RUN(tests) as the body of main(); connection_is(), fake_answers(), assert_given().
 * Owns:     a superuser's connection `admin`, the fake Dialpad, the keys.
 * Threads:  one, but for demand() with a connection of the thread's own.
 * Errors:   a failed call fails the test.
 */
#ifndef CTI_DP_TOKEN_KIT_H
#define CTI_DP_TOKEN_KIT_H

#include "test/db/db_test.h"

#include "common/dialpad/dp_token.h"
#include "test/unit/fake_dialpad.h"

#include <sodium.h>

enum { ROOM = 4096 };

static const struct uuid app = { { 0xaa, 7 } };
static struct db_conn *admin;
static struct conf conf;
static struct seal_keys keys;
static struct dp_tokens tokens;

#define FRESH "{\"access_token\":\"acc-2\",\"refresh_token\":\"ref-2\",\"expires_in\":3600}"

/* ---- the row ---- */

static inline void
add_sealed(struct db_params *p, const char *purpose, const char *plain)
{
	AUTO_RELEASE(buf_release) struct buf sealed = BUF(ROOM);
	struct db_array one;

	if (plain == NULL) {
		db_p_null(p, DB_BYTEA);
		return;
	}
	seal_lock(&keys, (struct seal_place){ app, purpose }, str_of(plain), &sealed);
	db_array_init(&one, DB_BYTEA); /* an array is copied, a text would only be borrowed */
	db_array_bytes(&one, buf_str(&sealed));
	db_p_array(p, &one);
	db_array_release(&one);
}

/* A connection whose token was given an hour ago and ends in `left_s`; 0: never. */
static inline void
connection_is(const char *access, const char *refresh, int left_s)
{
	static const struct db_stmt s = { "t_connection",
		"INSERT INTO dialpad_connections (app_id, environment, state, access_token,"
		" refresh_token, token_expires_at, connected_at) VALUES ($1, 'sandbox', 'connected',"
		" ($2)[1], ($3)[1], now() + make_interval(secs => nullif($4, 0)),"
		" now() - interval '1 hour')"
		" ON CONFLICT (app_id) DO UPDATE SET environment = 'sandbox', state = 'connected',"
		" access_token = ($2)[1], refresh_token = ($3)[1],"
		" token_expires_at = excluded.token_expires_at, last_error = NULL,"
		" last_refresh_at = NULL, refresh_failures = 0,"
		" connected_at = excluded.connected_at" };
	struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app);
	add_sealed(&p, DP_ACCESS_TOKEN, access);
	if (refresh == NULL) {
		struct db_array none;

		db_array_init(&none, DB_BYTEA);
		db_p_array(&p, &none);
		db_array_release(&none);
	} else {
		add_sealed(&p, DP_REFRESH_TOKEN, refresh);
	}
	db_p_f64(&p, left_s);
	MUST(db_exec(admin, &s, &p, NULL, e));
	db_params_release(&p);
}

/* A condition on the row. */
static inline bool
row_has(const char *condition)
{
	char sql[1000];
	struct db_stmt s = { .name = "t_row_has", .sql = sql };
	struct db_params p;
	bool yes;

	(void)snprintf(sql, sizeof sql,
	    "SELECT count(*) FROM dialpad_connections WHERE app_id = $1 AND %s", condition);
	db_params_init(&p);
	db_p_uuid(&p, app);
	yes = test_number(admin, &s, &p) == 1;
	db_params_release(&p);
	return yes;
}

/* What a demand brings: the class, and the token or the message in `text`. */
static inline enum err_code
demand(struct db_conn *c, char text[ROOM])
{
	AUTO_RELEASE(buf_release) struct buf token = BUF(ROOM);
	struct err e;
	enum err_code rc = dp_token_get(&tokens, c, app, &token, &e);

	(void)snprintf(text, ROOM, "%s", rc == ERR_OK ? buf_c(&token) : e.msg);
	return rc;
}

static inline void
assert_given(const char *want)
{
	char text[ROOM];

	if (demand(admin, text) != ERR_OK || strcmp(text, want) != 0)
		fail_msg("%s instead of %s", text, want);
}

static inline void
assert_refused(enum err_code code, const char *why)
{
	char text[ROOM];
	enum err_code rc = demand(admin, text);

	if (rc != code || strstr(text, why) == NULL)
		fail_msg("%s: %s", err_name(rc), text);
}

/* A demand by a thread with a connection of its own. */
struct demander {
	pthread_t thread;
	enum err_code rc;
	char text[ROOM];
};

static inline void *
demand_alone(void *arg)
{
	struct demander *d = arg;
	struct db_conn *c = test_connect();

	d->rc = demand(c, d->text);
	db_close(c);
	return NULL;
}

/* ---- set up and torn down ---- */

static inline int
set_up(void **state)
{
	static const struct db_stmt make_app = { "t_app",
		"INSERT INTO apps (app_id, name) VALUES ($1, 'a')" };
	struct db_opts o = test_opts();
	struct db_params p;

	(void)state;
	o.unnamed = true; /* row_has() sends another text each time */
	MUST(db_connect(&o, &admin, e));
	db_params_init(&p);
	db_p_uuid(&p, app);
	MUST(db_exec(admin, &make_app, &p, NULL, e));
	db_params_release(&p);
	fake_start();
	conf = fake_conf();
	seal_keys_init(&keys, STR("the key of this test"), STR_NONE);
	tokens = (struct dp_tokens){ .keys = &keys, .environment = "sandbox", .db = test_opts() };
	MUST(dialpad_api_new(&conf, &tokens.api, e));
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	dialpad_api_free(tokens.api);
	fake_stop();
	db_close(admin);
	return 0;
}

/* The body of main(). */
#define TOKEN_RUN(tests)                                                        \
	(sodium_init() < 0 ? 1                                                  \
		: test_url() == NULL                                            \
		? (print_message("skipped: TEST_DATABASE_URL is not set\n"), 0) \
		: cmocka_run_group_tests(tests, set_up, tear_down))

#endif

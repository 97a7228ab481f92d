/* common/dialpad: the endpoints and their failures, against answers that a fake Dialpad gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/dialpad/dialpad_company.h"
#include "common/dialpad/dialpad_oauth.h"
#include "test/unit/fake_dialpad.h"

#define TOKEN STR("the-access-token")

static struct conf conf;
static struct dialpad_api *api;

static struct err
failure_of_company(void)
{
	struct arena a;
	struct dialpad_company company;
	struct err e;

	arena_init(&a);
	assert_int_not_equal(dialpad_company(api, TOKEN, &a, &company, &e), ERR_OK);
	arena_release(&a);
	return e;
}

static void
failures_have_a_type_and_name_the_call(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_code code;
	} cases[] = {
		{ 400, "{}", ERR_INVALID },
		{ 401, "", ERR_UNAUTHORIZED },
		{ 403, "[]", ERR_FORBIDDEN },
		{ 404, "<html>", ERR_NOT_FOUND },
		{ 409, "{}", ERR_CONFLICT },
		{ 429, "{}", ERR_RATE_LIMITED },
		{ 500, "{}", ERR_UNAVAILABLE },
		{ 503, "{}", ERR_UNAVAILABLE },
		{ 302, "", ERR_UPSTREAM },
		{ 200, "<html>", ERR_UPSTREAM },
		{ 200, "", ERR_UPSTREAM },
		{ 200, "{}", ERR_UPSTREAM },
		{ 200, "[1]", ERR_UPSTREAM },
		{ 200, "{\"id\":\"x\"}", ERR_UPSTREAM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e;

		fake_answers(cases[i].status, cases[i].body);
		e = failure_of_company();
		if (e.code != cases[i].code)
			fail_msg("%d %s: %s", cases[i].status, cases[i].body, err_name(e.code));
		assert_non_null(strstr(e.msg, "company.get"));
		assert_null(strstr(e.msg, "the-access-token"));
	}
}

static void
what_dialpad_says_is_quoted_shortened(void **state)
{
	static const struct {
		const char *body, *want;
	} cases[] = {
		{ "{\"error\":{\"message\":\"no such state\"}}", "answered 400: no such state" },
		{ "{\"error\":\"bad thing\"}", "answered 400: bad thing" },
		{ "{\"message\":\"wrong\"}", "answered 400: wrong" },
		{ "{\"error\":7}", "answered 400" },
	};
	char body[400];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fake_answers(400, cases[i].body);
		e = failure_of_company();
		assert_non_null(strstr(e.msg, cases[i].want));
	}
	(void)snprintf(body, sizeof body, "{\"error\":\"%0300d\"}", 0);
	fake_answers(400, body);
	e = failure_of_company();
	assert_true(strlen(e.msg) < 200);
}

static void
how_long_to_wait_is_told(void **state)
{
	const struct dialpad_call call = { .name = "x", .method = "GET", .path = "/api/v2/x" };
	AUTO_RELEASE(dialpad_answer_release) struct dialpad_answer a = { .status = 0 };
	struct err e;

	(void)state;
	fake_answers(429, "{}");
	fake.answer.header = "Retry-After";
	fake.answer.header_value = "3";
	assert_int_equal(dialpad_call(api, &call, &a, &e), ERR_RATE_LIMITED);
	assert_int_equal(a.retry_after_ms, 3000);
	assert_int_equal(a.status, 429);
}

static void
a_query_is_percent_encoded(void **state)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(200);

	(void)state;
	buf_add_c(&path, "/x");
	dialpad_path_add(&path, "a", STR("b c&d=\xc3\xa9+~"));
	dialpad_path_add(&path, "e", STR("1"));
	assert_string_equal(buf_c(&path), "/x?a=b%20c%26d%3D%C3%A9%2B~&e=1");
}

/* ---- who and where ---- */

static void
ids_are_read_as_numbers_and_as_texts(void **state)
{
	struct arena a;
	struct dialpad_user u;
	struct dialpad_company c;
	struct err e;

	(void)state;
	arena_init(&a);
	fake_answers(200,
	    "{\"id\":\"5835806903417907\",\"company_id\":4508591728425653,\"is_admin\":true,"
	    "\"display_name\":\"A B\",\"emails\":[\"a@b.example\",\"c\"]}");
	assert_int_equal(dialpad_me(api, TOKEN, &a, &u, &e), ERR_OK);
	assert_int_equal(u.id, 5835806903417907);
	assert_int_equal(u.company_id, 4508591728425653);
	assert_true(u.is_admin);
	assert_true(str_eq(u.name, STR("A B")));
	assert_true(str_eq(u.email, STR("a@b.example")));
	assert_string_equal(fake.last.path, "/api/v2/users/me");
	assert_string_equal(fake.last.authorization, "Bearer the-access-token");
	fake_answers(200, "{\"id\":\"123\",\"company_id\":\"7\",\"emails\":[]}");
	assert_int_equal(dialpad_me(api, TOKEN, &a, &u, &e), ERR_OK);
	assert_false(u.is_admin);
	assert_null(u.email.p);
	fake_answers(200, "{\"id\":\"123\",\"name\":\"Acme\"}");
	assert_int_equal(dialpad_company(api, TOKEN, &a, &c, &e), ERR_OK);
	assert_int_equal(c.id, 123);
	assert_true(str_eq(c.name, STR("Acme")));
	arena_release(&a);
}

static void
offices_end_with_a_page_without_a_cursor_or_items(void **state)
{
	struct arena a;
	struct dialpad_offices o;
	struct err e;

	(void)state;
	arena_init(&a);
	fake_answers(200, "{\"items\":[{\"id\":\"124\"},{\"id\":6422934115149452}]}");
	assert_int_equal(dialpad_offices(api, TOKEN, &a, &o, &e), ERR_OK);
	assert_int_equal(o.n, 2);
	assert_int_equal(o.ids[1], 6422934115149452);
	fake_answers(200, "{\"cursor\":\"more\"}");
	assert_int_equal(dialpad_offices(api, TOKEN, &a, &o, &e), ERR_OK);
	assert_int_equal(o.n, 0);
	fake_answers(200, "{\"items\":[{\"id\":1}],\"cursor\":\"a b\"}");
	assert_int_equal(dialpad_offices(api, TOKEN, &a, &o, &e), ERR_UPSTREAM); /* no end */
	assert_string_equal(fake.last.query, "cursor=a b;");
	fake_answers(200, "{\"items\":[{\"name\":\"no id\"}]}");
	assert_int_equal(dialpad_offices(api, TOKEN, &a, &o, &e), ERR_UPSTREAM);
	arena_release(&a);
}

/* ---- tokens ---- */

static void
the_authorize_url_has_all_that_dialpad_wants(void **state)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(2000);

	(void)state;
	dialpad_authorize_url(api, "st", "ch", &url);
	assert_true(str_starts(buf_str(&url), str_of(fake.base_url)));
	assert_non_null(strstr(buf_c(&url),
	    "/oauth2/authorize?response_type=code&client_id=client"
	    "&redirect_uri=http%3A%2F%2F127.0.0.1%2Fauth%2Fdialpad%2Fcallback"
	    "&scope=calls%3Alist%20offline_access&state=st&code_challenge=ch"
	    "&code_challenge_method=S256"));
}

static void
a_code_is_exchanged_with_verifier_and_client(void **state)
{
	AUTO_RELEASE(dialpad_tokens_release) struct dialpad_tokens t;
	struct dialpad_refusal why;
	struct err e;

	(void)state;
	dialpad_tokens_init(&t);
	fake_answers(200,
	    "{\"access_token\":\"acc\",\"refresh_token\":\"ref\",\"expires_in\":\"3600\","
	    "\"token_type\":\"bearer\"}");
	assert_int_equal(dialpad_exchange(api, STR("the code"), STR("ver"), &t, &why, &e), ERR_OK);
	assert_string_equal(buf_c(&t.access), "acc");
	assert_string_equal(buf_c(&t.refresh), "ref");
	assert_int_equal(t.expires_in_s, 3600);
	assert_int_equal(t.scope.n, 0);
	assert_string_equal(fake.last.path, "/oauth2/token");
	assert_string_equal(buf_c(&fake.last.body),
	    "{\"grant_type\":\"authorization_code\",\"client_id\":\"client\","
	    "\"client_secret\":\"client-secret\",\"code\":\"the code\",\"code_verifier\":\"ver\","
	    "\"redirect_uri\":\"http://127.0.0.1/auth/dialpad/callback\"}");
}

static void
a_token_without_an_end_or_a_successor_is_told_apart(void **state)
{
	AUTO_RELEASE(dialpad_tokens_release) struct dialpad_tokens t;
	struct dialpad_refusal why;
	struct err e;

	(void)state;
	dialpad_tokens_init(&t);
	fake_answers(200, "{\"access_token\":\"acc\",\"refresh_token\":null}");
	assert_int_equal(dialpad_exchange(api, STR("c"), STR("v"), &t, &why, &e), ERR_OK);
	assert_int_equal(t.refresh.n, 0);
	assert_int_equal(t.expires_in_s, 0);
}

static void
a_token_that_could_not_be_sent_is_a_bad_answer(void **state)
{
	static const char *const bodies[] = { "{}", "{\"access_token\":7}",
		"{\"access_token\":\"\"}", "{\"access_token\":\"a b\"}",
		"{\"access_token\":\"a\\r\\nX: y\"}", "",
		"{\"access_token\":\"a\",\"refresh_token\":\"\\u0001\"}" };
	struct dialpad_refusal why;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		AUTO_RELEASE(dialpad_tokens_release) struct dialpad_tokens t;

		dialpad_tokens_init(&t);
		fake_answers(200, bodies[i]);
		if (dialpad_exchange(api, STR("c"), STR("v"), &t, &why, &e) != ERR_UPSTREAM)
			fail_msg("%s", bodies[i]);
		assert_int_equal(t.access.n, 0);
	}
}

static void
a_refusal_of_the_token_endpoint_shows_its_code_and_nothing_else(void **state)
{
	AUTO_RELEASE(dialpad_tokens_release) struct dialpad_tokens t;
	struct dialpad_refusal why;
	struct err e;

	(void)state;
	dialpad_tokens_init(&t);
	fake_answers(400, "{\"error\":\"invalid_grant\",\"error_description\":\"ref-123 is old\"}");
	assert_int_equal(dialpad_refresh(api, STR("ref-123"), &t, &why, &e), ERR_INVALID);
	assert_int_equal(why.status, 400);
	assert_string_equal(why.error, "invalid_grant");
	assert_non_null(strstr(e.msg, "invalid_grant"));
	assert_null(strstr(e.msg, "ref-123"));
	fake_answers(401, "{\"error\":\"ref-123\"}");
	assert_int_equal(dialpad_refresh(api, STR("ref-123"), &t, &why, &e), ERR_UNAUTHORIZED);
	assert_string_equal(why.error, "");
	assert_null(strstr(e.msg, "ref-123"));
}

/* Dialpad might repeat the token that it does not know. */
static void
a_refused_token_is_not_quoted(void **state)
{
	struct dialpad_company c;
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a);
	fake_answers(401, "{\"error\":{\"message\":\"unknown: the-access-token\"}}");
	assert_int_equal(dialpad_company(api, TOKEN, &a, &c, &e), ERR_UNAUTHORIZED);
	assert_null(strstr(e.msg, "the-access-token"));
	arena_release(&a);
}

static void
deauthorizing_sends_the_token_and_no_body(void **state)
{
	struct err e;

	(void)state;
	fake_answers(204, "");
	assert_int_equal(dialpad_deauthorize(api, TOKEN, &e), ERR_OK);
	assert_string_equal(fake.last.method, "POST");
	assert_string_equal(fake.last.path, "/oauth2/deauthorize");
	assert_string_equal(fake.last.authorization, "Bearer the-access-token");
	assert_int_equal(fake.last.body.n, 0);
}

static void
a_base_url_that_cannot_be_used_is_refused_by_name(void **state)
{
	struct conf c = conf;
	struct dialpad_api *other;
	struct err e;

	(void)state;
	c.dialpad.base_url = "http://dialpad.com";
	assert_int_equal(dialpad_api_new(&c, &other, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "DIALPAD_SANDBOX_BASE_URL"));
	c.dialpad.base_url = "http://127.0.0.1:1";
	c.production = true;
	assert_int_equal(dialpad_api_new(&c, &other, &e), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_have_a_type_and_name_the_call),
		cmocka_unit_test(what_dialpad_says_is_quoted_shortened),
		cmocka_unit_test(how_long_to_wait_is_told),
		cmocka_unit_test(a_query_is_percent_encoded),
		cmocka_unit_test(ids_are_read_as_numbers_and_as_texts),
		cmocka_unit_test(offices_end_with_a_page_without_a_cursor_or_items),
		cmocka_unit_test(the_authorize_url_has_all_that_dialpad_wants),
		cmocka_unit_test(a_code_is_exchanged_with_verifier_and_client),
		cmocka_unit_test(a_token_without_an_end_or_a_successor_is_told_apart),
		cmocka_unit_test(a_token_that_could_not_be_sent_is_a_bad_answer),
		cmocka_unit_test(a_refusal_of_the_token_endpoint_shows_its_code_and_nothing_else),
		cmocka_unit_test(a_refused_token_is_not_quoted),
		cmocka_unit_test(deauthorizing_sends_the_token_and_no_body),
		cmocka_unit_test(a_base_url_that_cannot_be_used_is_refused_by_name),
	};
	struct err e;
	int failed;

	fake_start();
	conf = fake_conf();
	if (dialpad_api_new(&conf, &api, &e) != ERR_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	dialpad_api_free(api);
	fake_stop();
	return failed;
}

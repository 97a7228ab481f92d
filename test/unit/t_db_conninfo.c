#include "common/conf/conf.h"
#include "common/db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What conf_load leaves of an environment without any of the database's variables. */
static struct conf
empty_conf(void)
{
	return (struct conf){
		.database_url = "",
		.db_host = "",
		.db_port = 5432,
		.db_user = "",
		.db_password = "",
		.db_name = "",
		.db_ssl_root_cert = "",
	};
}

static void
check(const struct conf *c, const char *want)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1000);
	struct err e;

	assert_int_equal(db_conninfo(c, &b, &e), ERR_OK);
	assert_string_equal(buf_c(&b), want);
}

static void
the_url_is_taken_verbatim(void **state)
{
	struct conf c = empty_conf();

	(void)state;
	c.database_url = "postgresql://u:p%27@h:6432/cti?sslmode=require";
	c.db_host = "elsewhere";
	check(&c, "postgresql://u:p%27@h:6432/cti?sslmode=require");
}

static void
parts_are_joined_and_quoted(void **state)
{
	struct conf c = empty_conf();

	(void)state;
	c.db_host = "db";
	c.db_user = "cti";
	c.db_password = "it's a \\ secret";
	c.db_name = "cti";
	check(&c, "host='db' port='5432' user='cti' password='it\\'s a \\\\ secret' dbname='cti'");
}

static void
tls_is_required_or_verified(void **state)
{
	struct conf c = empty_conf();

	(void)state;
	c.db_host = "db";
	c.db_ssl = true;
	check(&c, "host='db' port='5432' sslmode='require'");
	c.db_ssl_root_cert = "/etc/ca.pem";
	check(&c, "host='db' port='5432' sslmode='verify-full' sslrootcert='/etc/ca.pem'");
}

static void
no_database_at_all_names_the_variable(void **state)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(1000);
	struct conf c = empty_conf();
	struct err e;

	(void)state;
	assert_int_equal(db_conninfo(&c, &b, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "DATABASE_URL"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_url_is_taken_verbatim),
		cmocka_unit_test(parts_are_joined_and_quoted),
		cmocka_unit_test(tls_is_required_or_verified),
		cmocka_unit_test(no_database_at_all_names_the_variable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

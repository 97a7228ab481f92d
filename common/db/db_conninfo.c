#include "common/db/db.h"

#include "common/conf/conf.h"

/* key='value', with the two characters that libpq wants escaped; nothing for an empty value. */
static void
add(struct buf *b, const char *key, const char *value)
{
	if (value[0] == '\0')
		return;
	if (b->n > 0)
		buf_add_char(b, ' ');
	buf_add_c(b, key);
	buf_add_c(b, "='");
	for (const char *v = value; *v != '\0'; v++) {
		if (*v == '\'' || *v == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, *v);
	}
	buf_add_char(b, '\'');
}

enum err_code
db_conninfo(const struct conf *c, struct buf *out, struct err *e)
{
	if (c->database_url[0] == '\0' && c->db_host[0] == '\0')
		return err_set(e, ERR_INVALID, "DATABASE_URL (or DB_HOST) is not set");
	buf_clear(out);
	if (c->database_url[0] != '\0') {
		buf_add_c(out, c->database_url);
	} else {
		add(out, "host", c->db_host);
		buf_add_fmt(out, " port='%d'", (int)c->db_port);
		add(out, "user", c->db_user);
		add(out, "password", c->db_password);
		add(out, "dbname", c->db_name);
		if (c->db_ssl_root_cert[0] != '\0')
			add(out, "sslmode", "verify-full");
		else if (c->db_ssl)
			add(out, "sslmode", "require");
		add(out, "sslrootcert", c->db_ssl_root_cert);
	}
	if (out->failed)
		return err_set(e, ERR_INVALID, "DATABASE_URL or DB_* is too long");
	return ERR_OK;
}

#include "workerd/batch/records_db.h"

#include "common/records/record_db.h"

#include <assert.h>
#include <pthread.h>

/* Voicemails are projections of calls and keep no clocks. */
static bool
has_clocks(const struct record_kind *kind)
{
	return kind != &RECORD_VOICEMAIL;
}

/* ---- statements, made once from the table of columns ---- */

struct sql {
	struct db_stmt load, save;
	char load_text[2048], save_text[8192];
};

static struct sql call_sql, message_sql, voicemail_sql;

static void
add_columns(struct buf *b, const struct record_kind *kind)
{
	buf_add_c(b, kind->id_column);
	buf_add_c(b, ", id");
	for (int f = 0; f < kind->nfields; f++)
		buf_add_fmt(b, ", \"%s\"", kind->fields[f].column);
	if (has_clocks(kind))
		buf_add_c(b, ", clocks");
}

static void
keep(struct buf *b, char *out, size_t size)
{
	assert(!b->failed && b->n < size);
	memcpy(out, buf_c(b), b->n + 1);
	buf_clear(b);
}

/* One probe of the primary key for each id, whatever the planner believes about the table. While it
 * takes that for empty, "=" would make all indexes that begin with app_id alike to it, and it takes the
 * last; a range in the order of the key leaves it one. */
static void
make_load(const struct record_kind *kind, struct buf *b)
{
	buf_add_c(b, "SELECT t.* FROM unnest($2) AS u (dialpad_id), LATERAL (SELECT ");
	add_columns(b, kind);
	buf_add_fmt(b,
	    " FROM %s WHERE app_id = $1 AND %s BETWEEN u.dialpad_id AND u.dialpad_id"
	    " ORDER BY %s LIMIT 1) AS t",
	    kind->table, kind->id_column, kind->id_column);
}

static void
make_save(const struct record_kind *kind, struct buf *b)
{
	int columns = 2 + kind->nfields + (has_clocks(kind) ? 1 : 0);

	buf_add_fmt(b, "INSERT INTO %s AS t (app_id, ", kind->table);
	add_columns(b, kind);
	buf_add_c(b, ") SELECT $1, u.* FROM unnest(");
	for (int i = 0; i < columns; i++)
		buf_add_fmt(b, "%s$%d", i == 0 ? "" : ", ", i + 2);
	buf_add_fmt(b, ") u ON CONFLICT (app_id, %s) DO UPDATE SET ", kind->id_column);
	for (int f = 0; f < kind->nfields; f++)
		buf_add_fmt(b, "%s\"%s\" = EXCLUDED.\"%s\"", f == 0 ? "" : ", ",
		    kind->fields[f].column, kind->fields[f].column);
	if (has_clocks(kind))
		buf_add_c(b, ", clocks = EXCLUDED.clocks");
}

static void
make_one(const struct record_kind *kind, struct sql *out, const char *load, const char *save)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(sizeof out->save_text);

	make_load(kind, &b);
	keep(&b, out->load_text, sizeof out->load_text);
	make_save(kind, &b);
	keep(&b, out->save_text, sizeof out->save_text);
	out->load = (struct db_stmt){ .name = load, .sql = out->load_text };
	out->save = (struct db_stmt){ .name = save, .sql = out->save_text };
}

static void
make_all(void)
{
	make_one(&RECORD_CALL, &call_sql, "calls_load", "calls_save");
	make_one(&RECORD_MESSAGE, &message_sql, "messages_load", "messages_save");
	make_one(&RECORD_VOICEMAIL, &voicemail_sql, "voicemails_load", "voicemails_save");
}

static const struct sql *
sql_of(const struct record_kind *kind)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make_all);
	return kind == &RECORD_CALL   ? &call_sql
	    : kind == &RECORD_MESSAGE ? &message_sql
				      : &voicemail_sql;
}

/* ---- load ---- */

static int
find_row(const struct fold_row *rows, int n, int64_t dialpad_id)
{
	int low = 0, high = n - 1;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (rows[mid].r.dialpad_id < dialpad_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

enum err_code
records_load(struct db_conn *c, struct uuid app_id, const struct record_kind *kind,
    struct fold_row *rows, bool *loaded, int n, struct db_result *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array ids;
	enum err_code rc;

	db_array_init(&ids, DB_I64);
	for (int i = 0; i < n; i++)
		db_array_i64(&ids, rows[i].r.dialpad_id);
	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_array(&p, &ids);
	rc = db_exec(c, &sql_of(kind)->load, &p, r, e);
	if (rc != ERR_OK)
		return rc;
	for (int i = 0; i < db_rows(r); i++) {
		int at = find_row(rows, n, db_i64(r, i, 0));

		record_read(kind, r, i, 0, &rows[at].r);
		if (has_clocks(kind))
			fold_clocks_decode(db_str(r, i, 2 + kind->nfields), kind, &rows[at]);
		loaded[at] = true;
	}
	return ERR_OK;
}

/* ---- save ---- */

static void
add_value(struct db_array *a, enum record_type type, const struct record_value *v)
{
	if (!v->set) {
		db_array_null(a);
		return;
	}
	switch (type) {
	case RECORD_I64:
	case RECORD_MS: db_array_i64(a, v->i); break;
	case RECORD_TIME: db_array_time(a, v->i); break;
	case RECORD_F64: db_array_f64(a, v->f); break;
	case RECORD_BOOL: db_array_bool(a, v->b); break;
	case RECORD_TEXT:
	case RECORD_LONG:
	case RECORD_JSON: db_array_bytes(a, v->s); break;
	}
}

/* One column of all rows as the next parameter. */
static void
add_column(struct db_params *p, const struct record_kind *kind, int field,
    const struct fold_row *const *rows, int n)
{
	AUTO_RELEASE(db_array_release) struct db_array a;

	db_array_init(&a, record_db_type(kind->fields[field].type));
	for (int i = 0; i < n; i++)
		add_value(&a, kind->fields[field].type, &rows[i]->r.v[field]);
	db_p_array(p, &a);
}

static void
add_ids(struct db_params *p, const struct fold_row *const *rows, int n)
{
	AUTO_RELEASE(db_array_release) struct db_array theirs, ours;

	db_array_init(&theirs, DB_I64);
	db_array_init(&ours, DB_UUID);
	for (int i = 0; i < n; i++) {
		db_array_i64(&theirs, rows[i]->r.dialpad_id);
		db_array_uuid(&ours, rows[i]->r.id);
	}
	db_p_array(p, &theirs);
	db_p_array(p, &ours);
}

static void
add_clocks(struct db_params *p, const struct record_kind *kind, const struct fold_row *const *rows,
    int n, struct arena *arena)
{
	AUTO_RELEASE(db_array_release) struct db_array a;

	db_array_init(&a, DB_BYTEA);
	for (int i = 0; i < n; i++)
		db_array_bytes(&a, fold_clocks_encode(rows[i], kind, arena));
	db_p_array(p, &a);
}

enum err_code
records_save(struct db_conn *c, struct uuid app_id, const struct record_kind *kind,
    const struct fold_row *const *rows, int n, struct arena *a, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	if (n == 0)
		return ERR_OK;
	db_p_uuid(&p, app_id);
	add_ids(&p, rows, n);
	for (int f = 0; f < kind->nfields; f++)
		add_column(&p, kind, f, rows, n);
	if (has_clocks(kind))
		add_clocks(&p, kind, rows, n, a);
	return db_exec_later(c, &sql_of(kind)->save, &p, NULL, e);
}

#include "workerd/batch/feed_db.h"

static const struct db_stmt APPEND = {
	.name = "feed_append",
	.sql = "INSERT INTO change_feed (app_id, seq, type, object_id, data)"
	       " SELECT $1, h.last_seq + u.n, u.type, u.object_id, u.data FROM tenant_heads h,"
	       " unnest($2, $3, $4) WITH ORDINALITY AS u (type, object_id, data, n)"
	       " WHERE h.app_id = $1",
};

enum err_code
feed_append(
    struct db_conn *c, struct uuid app_id, const struct feed_item *items, int n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array types, ids, data;

	db_params_init(&p);
	db_array_init(&types, DB_TEXT);
	db_array_init(&ids, DB_UUID);
	db_array_init(&data, DB_JSON);
	if (n == 0)
		return ERR_OK;
	for (int i = 0; i < n; i++) {
		db_array_bytes(&types, str_of(items[i].type));
		db_array_uuid(&ids, items[i].object_id);
		db_array_bytes(&data, items[i].data);
	}
	db_p_uuid(&p, app_id);
	db_p_array(&p, &types);
	db_p_array(&p, &ids);
	db_p_array(&p, &data);
	return db_exec_later(c, &APPEND, &p, NULL, e);
}

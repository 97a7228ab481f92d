#include "apid/admin/id_list.h"

#include "apid/edge/body.h"
#include "common/base/uuid.h"

static int
by_value(const void *a, const void *b)
{
	return uuid_cmp(*(const struct uuid *)a, *(const struct uuid *)b);
}

static bool
any_twice(struct uuid *ids, int n)
{
	qsort(ids, (size_t)n, sizeof *ids, by_value);
	for (int i = 1; i < n; i++)
		if (uuid_eq(ids[i - 1], ids[i]))
			return true;
	return false;
}

enum err_code
id_list_read(const struct json *body, const char *field, struct db_array *out, struct err *e)
{
	struct uuid ids[ID_LIST_MAX];
	const struct json *list;
	struct str s;
	int n = 0;
	enum err_code rc = body_array(body, field, &list, e);

	if (rc != ERR_OK || list == NULL)
		return rc;
	for (const struct json *v = json_first(list); v != NULL; v = json_next(v)) {
		if (n == ID_LIST_MAX)
			return err_set(e, ERR_INVALID, "field \"%s\" has more than %d ids", field,
			    ID_LIST_MAX);
		if (!json_to_str(v, &s) || !uuid_parse(s, &ids[n++]))
			return err_set(
			    e, ERR_INVALID, "field \"%s\" holds something that is no id", field);
	}
	if (n == 0)
		return err_set(e, ERR_INVALID, "field \"%s\" is empty", field);
	if (any_twice(ids, n))
		return err_set(e, ERR_INVALID, "field \"%s\" names an id twice", field);
	for (int i = 0; i < n; i++)
		db_array_uuid(out, ids[i]);
	return ERR_OK;
}

void
id_list_write(const struct json *list, struct json_out *j)
{
	struct uuid id;
	struct str s;

	jo_arr(j);
	for (const struct json *v = json_first(list); v != NULL; v = json_next(v))
		if (json_to_str(v, &s) && uuid_parse(s, &id))
			jo_uuid(j, id);
	jo_end_arr(j);
}

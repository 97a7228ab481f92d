#include "workerd/fold/fold_lists.h"

#include "common/json/json_out.h"

#include <stdlib.h>

/* The JSON always has room: each byte of an item escaped to six. */
enum { MAX_ITEMS = 256, MAX_TEXT = 2048, MAX_JSON_BYTES = 2 * MAX_ITEMS * (6 * MAX_TEXT + 8) };

struct strings {
	struct str item[2 * MAX_ITEMS]; /* room for a union */
	int n;
};

static void
strings_collect(struct strings *list, const struct json *array, struct arena *a)
{
	struct str s;

	for (const struct json *v = json_first(array); v != NULL && list->n < 2 * MAX_ITEMS;
	     v = json_next(v))
		if (json_to_str(v, &s) && s.n > 0 && s.n <= MAX_TEXT)
			list->item[list->n++] = arena_dup(a, s);
}

static struct str
strings_write(const struct strings *list, struct arena *a)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(MAX_JSON_BYTES);
	struct json_out j;

	if (list->n == 0)
		return STR_NONE;
	jo_init(&j, &b);
	jo_arr(&j);
	for (int i = 0; i < list->n; i++)
		jo_str(&j, list->item[i]);
	jo_end_arr(&j);
	return arena_dup(a, buf_str(&b));
}

static int
by_text(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void
strings_sort_unique(struct strings *list)
{
	int n = 0;

	qsort(list->item, (size_t)list->n, sizeof list->item[0], by_text);
	for (int i = 0; i < list->n; i++)
		if (n == 0 || !str_eq(list->item[n - 1], list->item[i]))
			list->item[n++] = list->item[i];
	list->n = n < MAX_ITEMS ? n : MAX_ITEMS;
}

struct str
labels_read(const struct json *claims, struct arena *a)
{
	const struct json *labels = json_get(claims, "labels");
	struct strings list;

	list.n = 0;
	if (json_is_arr(labels))
		strings_collect(&list, labels, a);
	strings_sort_unique(&list);
	return strings_write(&list, a);
}

static void
strings_add_stored(struct strings *list, struct str text, struct arena *a)
{
	AUTO(json) struct json *doc = NULL;
	struct err ignored;

	if (text.p != NULL && json_parse(text, &doc, &ignored) == ERR_OK)
		strings_collect(list, doc, a);
}

struct str
labels_union(struct str x, struct str y, struct arena *a)
{
	struct strings list;

	list.n = 0;
	strings_add_stored(&list, x, a);
	strings_add_stored(&list, y, a);
	strings_sort_unique(&list);
	return strings_write(&list, a);
}

struct str
recipients_read(const struct json *claims, struct arena *a)
{
	const struct json *to = json_get(claims, "to_number");
	struct strings list;
	struct str one;

	list.n = 0;
	if (json_is_arr(to))
		strings_collect(&list, to, a);
	else if (json_to_str(to, &one) && one.n > 0 && one.n <= MAX_TEXT)
		list.item[list.n++] = arena_dup(a, one);
	return strings_write(&list, a);
}

struct str
strings_first(struct str text, struct arena *a)
{
	struct strings list;

	list.n = 0;
	strings_add_stored(&list, text, a);
	return list.n > 0 ? list.item[0] : STR_NONE;
}

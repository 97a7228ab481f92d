#include "workerd/batch/voicemail_set.h"

enum err_code
voicemail_set_load(struct db_conn *c, struct uuid app_id, const struct record_set *calls,
    struct arena *a, struct record_set *out, struct err *e)
{
	struct record *now = arena_new(a, struct record, (size_t)calls->n + 1);
	int64_t *ids = arena_new(a, int64_t, (size_t)calls->n + 1);
	int n = 0;
	enum err_code rc;

	for (int i = 0; i < calls->n; i++)
		if (fold_voicemail(&calls->rows[i], &now[n])) {
			ids[n] = now[n].dialpad_id;
			n++;
		}
	rc = record_set_load(c, app_id, &RECORD_VOICEMAIL, ids, n, a, out, e);
	if (rc != ERR_OK)
		return rc;
	/* Both are sorted by call id. */
	for (int i = 0; i < n; i++) {
		if (out->loaded[i])
			now[i].v[VOICEMAIL_created_at] = out->before[i].v[VOICEMAIL_created_at];
		now[i].id = out->rows[i].r.id;
		out->rows[i].r = now[i];
	}
	return ERR_OK;
}

/*
 * provision_db - what is remembered of an app's webhook at Dialpad.
 *
 * Use:      private to workerd/provision.
 * Owns:     nothing.
 * Threads:  as the connection.
 * Errors:   as db.h. provision_db_load: NOT_FOUND: the app was deleted or never connected.
 * Not for:  hooks that were set up by hand: nobody knows their ids.
 */
#ifndef CTI_PROVISION_DB_H
#define CTI_PROVISION_DB_H

#include "common/base/arena.h"
#include "common/db/db.h"
#include "common/dialpad/dialpad_hooks.h"

struct provision_row {
	struct str scopes;          /* of the token, sorted, separated by blanks */
	int32_t hook;               /* the newest; 0: none was made */
	struct str key_fingerprint; /* of the key that hook was made with */
	int64_t webhook_id;         /* 0: none is known */
	struct {
		int64_t id;  /* 0: none is known */
		bool is_old; /* made with a token of other scopes */
	} sub[DIALPAD_SUB_KINDS];
};

/* Texts live in the arena. */
CTI_MUST_CHECK enum err_code provision_db_load(struct db_conn *c, struct uuid app_id,
    struct arena *a, struct provision_row *out, struct err *e);

/* The newest hook becomes a new one, which stands for what the one before stood for at Dialpad. */
CTI_MUST_CHECK enum err_code provision_db_next_hook(struct db_conn *c, struct uuid app_id,
    struct str key_fingerprint, struct provision_row *row, struct err *e);

/* The newest hook, as far as Dialpad has it; `drift` is a JSON array, or STR_NONE: not known yet. */
CTI_MUST_CHECK enum err_code provision_db_save(struct db_conn *c, struct uuid app_id,
    const struct provision_row *row, struct str hook_url, struct str drift, struct err *e);

CTI_MUST_CHECK enum err_code provision_db_note_failure(
    struct db_conn *c, struct uuid app_id, const char *reason, struct err *e);

/* Dialpad calls none of the older hooks any more: after six hours nothing more comes from there. */
CTI_MUST_CHECK enum err_code provision_db_retire(
    struct db_conn *c, struct uuid app_id, int32_t newest, struct err *e);

#endif

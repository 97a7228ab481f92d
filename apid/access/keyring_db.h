/*
 * keyring_db - the two statements of the keyring: read a key, note when keys were used.
 *
 * Use:      private to keyring.c.
 * Owns:     nothing; the origins of a key are borrowed from *r.
 * Threads:  as the connection.
 * Errors:   from the database; INTERNAL: a stored hash is none.
 * Not for:  making and revoking keys (admin/keys_db.h).
 */
#ifndef CTI_APID_KEYRING_DB_H
#define CTI_APID_KEYRING_DB_H

#include "apid/access/key_cache.h"
#include "common/db/db.h"

/* asked_ms is the monotonic instant that the key's remaining time is counted from. */
CTI_MUST_CHECK enum err_code keyring_db_read(struct db_conn *c, struct str key_id, int64_t asked_ms,
    struct db_result *r, struct key_facts *out, bool *found, struct err *e);

CTI_MUST_CHECK enum err_code keyring_db_stamp(
    struct db_conn *c, const struct key_use *uses, int n, struct err *e);

#endif

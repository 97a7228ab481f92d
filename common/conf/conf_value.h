/*
 * conf_value - the text of one option: from NAME, or from the file that NAME_FILE names.
 *
 * Use:      conf_value_read() per option; *out is STR_NONE when it is unset.
 * Owns:     nothing; *out lives in the arena.
 * Threads:  no shared state.
 * Errors:   INVALID; the message is one line that names the variable and no secret.
 * Not for:  anything outside common/conf.
 */
#ifndef CTI_CONF_VALUE_H
#define CTI_CONF_VALUE_H

#include "common/base/arena.h"
#include "common/base/err.h"

/* The variable called `name` + `suffix`; STR_NONE when absent. The first of two wins. */
struct str conf_env(char *const *env, const char *name, const char *suffix);

/* Without outer white space, NUL-terminated. Empty is unset, but a fault when `secret`. */
CTI_MUST_CHECK enum err_code conf_value_read(char *const *env, const char *name, bool secret,
    struct arena *a, struct str *out, struct err *e);

#endif

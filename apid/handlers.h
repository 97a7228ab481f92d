/*
 * handlers - every handler of apid's routes, by the file that it is in.
 *
 * Use:      from routes.c alone.
 * Owns:     nothing.
 * Threads:  each may run on many threads at once.
 * Errors:   as http_handler.
 * Not for:  health and metrics, which come from http_ops.h.
 */
#ifndef CTI_APID_HANDLERS_H
#define CTI_APID_HANDLERS_H

#include "common/http/http.h"

#define HANDLER(name) enum err_code name(struct http_req *req, struct http_res *res, struct err *e)

/* calls.c, messages.c, voicemails.c */
HANDLER(calls_list);
HANDLER(calls_active);
HANDLER(calls_get);
HANDLER(messages_list);
HANDLER(messages_get);
HANDLER(voicemails_list);
HANDLER(voicemails_get);

/* apps.c, keys.c, hooks.c */
HANDLER(apps_create);
HANDLER(apps_list);
HANDLER(apps_get);
HANDLER(keys_create);
HANDLER(hooks_get);

/* health.c */
HANDLER(health_get);
HANDLER(health_metrics);

/* spec.c */
HANDLER(spec_json);
HANDLER(spec_page);

/* misdirected.c */
HANDLER(misdirected_webhook);

#undef HANDLER

#endif

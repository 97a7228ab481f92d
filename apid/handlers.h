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

/* events.c, open.c, ticket.c, token.c */
HANDLER(events_get);
HANDLER(live_open);
HANDLER(ticket_create);
HANDLER(token_create);
HANDLER(token_list);
HANDLER(token_revoke);

/* health.c */
HANDLER(health_get);
HANDLER(health_metrics);

/* misdirected.c */
HANDLER(misdirected_webhook);

#undef HANDLER

#endif

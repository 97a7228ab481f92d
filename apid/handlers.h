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

/* calls.c, messages.c, voicemails.c, connection.c */
HANDLER(calls_list);
HANDLER(calls_active);
HANDLER(calls_get);
HANDLER(messages_list);
HANDLER(messages_get);
HANDLER(voicemails_list);
HANDLER(voicemails_get);
HANDLER(connection_get);

/* admin: apps.c, keys.c, hooks.c, repairs.c, checklist.c, audit.c */
HANDLER(apps_create);
HANDLER(apps_list);
HANDLER(apps_get);
HANDLER(apps_change);
HANDLER(apps_delete);
HANDLER(keys_create);
HANDLER(keys_list);
HANDLER(keys_revoke);
HANDLER(hooks_get);
HANDLER(hooks_provision);
HANDLER(hooks_rotate);
HANDLER(repairs_create);
HANDLER(repairs_list);
HANDLER(setup_get);
HANDLER(audit_get);

/* admin: events.c, replay.c, unclaimed.c, rules.c, stats.c, erase.c */
HANDLER(events_list);
HANDLER(events_get);
HANDLER(replay_create);
HANDLER(replay_list);
HANDLER(unclaimed_list);
HANDLER(unclaimed_get);
HANDLER(unclaimed_assign);
HANDLER(unclaimed_assignments);
HANDLER(rules_list);
HANDLER(rules_remove);
HANDLER(stats_get);
HANDLER(erase_create);
HANDLER(erase_list);

/* oauth/connect.c, oauth/callback.c */
HANDLER(oauth_connect);
HANDLER(oauth_callback);

/* connections.c */
HANDLER(connections_get);
HANDLER(connections_disconnect);
HANDLER(connections_invite);

/* events.c, open.c, ticket.c, token.c */
HANDLER(feed_get);
HANDLER(live_open);
HANDLER(ticket_create);
HANDLER(token_create);
HANDLER(token_list);
HANDLER(token_revoke);

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

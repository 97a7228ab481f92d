/*
 * http_listener - the socket that civetweb listens with gets an option that civetweb does not know.
 *
 * Use:      private to common/http: http_listener_defer() once the server has started.
 * Owns:     nothing.
 * Threads:  safe.
 * Errors:   none: without the option everything works, but silent peers hold threads.
 * Not for:  anything that civetweb's own options can do.
 */
#ifndef CTI_HTTP_LISTENER_H
#define CTI_HTTP_LISTENER_H

/* Connections to this port are accepted when their first byte has come, or after some seconds: until
 * then they are the kernel's and cost no thread. */
void http_listener_defer(int port);

#endif

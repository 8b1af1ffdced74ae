/* Where the engine listens. */
#ifndef VIGIE_RUN_SOCKET_H
#define VIGIE_RUN_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/* The engine's socket: $VIGIE_SOCKET, $PROXY_PATH, /tmp/vigie-UID/engine.socket when there is one, else
 * /tmp/metric-proxy-UID.socket. The result is one of the variables, or lies in `buffer`. */
const char *engine_socket(char *buffer, size_t capacity);

/* Connects without ever blocking for long (50 ms when the engine's queue of connections is full).
 * Returns a close-on-exec descriptor, or -1: then there is no engine. Safe in a signal handler. With a path of `our_choice`
 * whoever may write to /tmp could listen there: only this user and root are spoken to. */
int engine_connect(const char *path, bool our_choice);

#endif

/* Removes tables that nobody will take over. */
#ifndef VIGIE_SWEEP_H
#define VIGIE_SWEEP_H

#include <stdbool.h>

/* In a directory of tables: those whose process has been gone for an hour, sooner when there are very many. Only files of
 * this user with the name of a table. errno may change. */
void sweep(const char *folder);

#endif

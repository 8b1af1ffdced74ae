/* Names of functions by their addresses, from the tables of the files that the program has loaded. */
#ifndef VIGIE_FUNCTIONS_SYMBOLS_H
#define VIGIE_FUNCTIONS_SYMBOLS_H

#include <stddef.h>

struct symbol {
  char name[1024]; /* as it is linked: of C++ mangled. Without any: OBJECT_0xOFFSET */
  char object[256]; /* the file, without its folder */
};

/*
 * Never fails: what has no name is called after its place. Tables are read once per loaded file and kept. Allocates; not
 * thread-safe; not for signal handlers.
 */
void symbol_of(const void *address, struct symbol *symbol);

#endif

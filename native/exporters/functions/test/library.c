/* A library whose functions have the names that only its full table of symbols has. */
#define KEPT __attribute__((noinline))

static volatile int sink;
KEPT static void inside_the_library(void) { sink++; }
void library_entry(void) { inside_the_library(); }

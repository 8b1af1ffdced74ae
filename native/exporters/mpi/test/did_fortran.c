/* did.h for Fortran. */
#include "did.h"

void did_call(const char *name, long in, long out);
void did_report(void);

void did_call(const char *name, long in, long out) { did(name, 1, in, out); }
void did_report(void) { report(); }

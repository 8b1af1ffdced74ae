#ifndef VIGIE_IO_H
#define VIGIE_IO_H

#include <stdbool.h>

/* This thread, or every thread, and all that are started from here on count nothing any more. */
void io_confine(bool every_thread) __attribute__((visibility("hidden")));

#endif

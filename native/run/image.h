/* What a command's file is, as far as it decides how its calls can be counted. */
#ifndef VIGIE_RUN_IMAGE_H
#define VIGIE_RUN_IMAGE_H

#include <stdbool.h>

struct image {
  bool native;    /* of this program's architecture; scripts and what cannot be read count as such */
  bool is_static; /* its loader takes no libraries of ours */
  bool go;        /* has a Go runtime, whose calls do not pass through libc */
  bool set_id;    /* starts with rights that the user has not got */
};

/* `command` as execvp finds it; of a script its interpreter. */
struct image image_of(const char *command);

#endif

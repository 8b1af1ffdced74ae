/* vigie-run: prepares the environment and becomes the program. Whatever of the monitoring does not work, the program is
 * started; only what the user asked for and cannot have (a wrong option, an unknown exporter) ends it before. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exporters.h"
#include "image.h"
#include "jobs.h"
#include "options.h"
#include "socket.h"
#include "text.h"
#include "tracing.h"

enum { NOT_EXECUTABLE = 126, NOT_STARTED = 127, PATH_BYTES = 4096, PRELOAD_BYTES = 65536 };

extern char **environ;

/* Folder of this program's file, where its libraries lie; after an installation they lie in ../lib/vigie. */
static void library_folder(char *folder, size_t capacity) {
  char self[PATH_BYTES];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  folder[0] = '\0';
  if (length <= 0) return;
  self[length] = '\0';
  char *slash = strrchr(self, '/');
  if (slash == NULL) return;
  *slash = '\0';
  static const char *const places[] = {"", "/../lib/vigie"};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    char library[PATH_BYTES + 64];
    snprintf(folder, capacity, "%s%s", self, places[i]);
    snprintf(library, sizeof library, "%s/libvigie-preload.so", folder);
    if (access(library, R_OK) == 0) return;
  }
  folder[0] = '\0';
}

static void append_word(struct text *list, const char *word) {
  if (list->length > 0) text_add_char(list, ':');
  text_add(list, word);
}

/* Whether a list separated by colons (or blanks) has this word. */
static bool has_word(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *found = list; (found = strstr(found, word)) != NULL; found++)
    if ((found == list || strchr(": ", found[-1]) != NULL) && strchr(": ", found[length]) != NULL) return true;
  return false;
}

/* Adds a library of ours, unless `list` or `before` has it: a vigie-run under another one. */
static void append_library(struct text *list, const char *before, const char *library, bool blank) {
  const char *name = blank ? strrchr(library, '/') + 1 : library;
  if (!has_word(list->data, name) && (before == NULL || !has_word(before, name))) append_word(list, name);
}

/* libvigie by its path, where the exporters need it: the loader would look for it in a dozen folders, in each program
 * that is started. */
static void append_client(struct text *list, const char *before, const char *folder) {
  static const char *const places[] = {"../client", "../../" VIGIE_LIBDIR};
  char library[PATH_BYTES + 128];
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    snprintf(library, sizeof library, "%s/%s/libvigie.so.0", folder, places[i]);
    if (access(library, R_OK) != 0) continue;
    append_library(list, before, library, false);
    return;
  }
}

/* Adds the libraries to those that are set already. Exporters come before them, since another tool that counts MPI calls
 * passes them on to MPI and not to us; but behind a sanitizer's runtime, which has to be first. LD_PRELOAD is separated by
 * blanks, too: libraries in a folder with a blank in its name are named without it, and found through LD_LIBRARY_PATH. */
static void preload(const struct options *options, const char *folder, enum tracing tracing) {
  static char buffer[PRELOAD_BYTES], search_buffer[PRELOAD_BYTES];
  static const char *const usual[] = {"mpi", "io"};
  if (strpbrk(folder, ":;$") != NULL) return;
  bool blank = strchr(folder, ' ') != NULL;
  const char *before = getenv("LD_PRELOAD"), *rest = before == NULL ? "" : before;
  struct text list = text_over(buffer, sizeof buffer);
  char word[PATH_BYTES], library[PATH_BYTES + 128];
  for (;;) {
    const char *start = rest + strspn(rest, ": ");
    size_t length = strcspn(start, ": ");
    snprintf(word, sizeof word, "%.*s", (int)length, start);
    const char *name = strrchr(word, '/') == NULL ? word : strrchr(word, '/') + 1;
    if (strncmp(name, "lib", 3) != 0 || strstr(name, "san.so") == NULL) break;
    append_word(&list, word);
    rest = start + length;
  }
  bool chosen = options->exporter_count > 0;
  int number = chosen ? options->exporter_count : (int)(sizeof usual / sizeof usual[0]);
  /* What stands for libc's functions hands its calls on to what counts those of the kernel: that comes last. */
  bool counting = false;
  for (int last = 0; last < 2; last++) {
    for (int i = 0; i < number; i++) {
      const char *name = chosen ? options->exporters[i] : usual[i];
      if ((strcmp(name, "strace") == 0) != last || strcmp(name, "ptrace") == 0) continue;
      if (exporter_state(folder, name) != EXPORTER_READY || (last && tracing != TRACING_INSIDE)) continue;
      exporter_library(library, sizeof library, folder, name);
      append_library(&list, before, library, blank);
      counting = true;
    }
  }
  rest += strspn(rest, ": ");
  if (rest[0] != '\0') append_word(&list, rest);
  snprintf(library, sizeof library, "%s/libvigie-preload.so", folder);
  append_library(&list, before, library, blank);
  if (counting && !blank) append_client(&list, before, folder);
  struct text search = text_over(search_buffer, sizeof search_buffer);
  const char *search_before = getenv("LD_LIBRARY_PATH");
  if (search_before != NULL) text_add(&search, search_before);
  if (blank && strstr(search.data, folder) == NULL) append_word(&search, folder);
  if (list.full || search.full) return;
  if (blank) setenv("LD_LIBRARY_PATH", search.data, 1);
  setenv("LD_PRELOAD", list.data, 1);
}

/* Programs change their folder, so the socket's path is made absolute. */
static void set_socket(const char *path) {
  char absolute[2 * PATH_BYTES], here[PATH_BYTES];
  if (path[0] != '/' && getcwd(here, sizeof here) != NULL) snprintf(absolute, sizeof absolute, "%s/%s", here, path);
  else snprintf(absolute, sizeof absolute, "%s", path);
  setenv("VIGIE_SOCKET", absolute, 1);
  setenv("PROXY_PATH", absolute, 1);
}

/* As it is now, whatever becomes of the variables; null without memory. */
static char **copy_environment(void) {
  size_t count = 0;
  while (environ[count] != NULL) count++;
  char **copy = malloc((count + 1) * sizeof *copy);
  if (copy != NULL) memcpy(copy, environ, (count + 1) * sizeof *copy);
  return copy;
}

static void join_words(char *buffer, size_t capacity, char **words) {
  struct text text = text_over(buffer, capacity);
  for (char **word = words; *word != NULL; word++) {
    if (word != words) text_add_char(&text, ' ');
    text_add(&text, *word);
  }
}

/* Hands the job's description to the libraries: $VIGIE_JOB (JSON), $PROXY_JOB_ID, $VIGIE_ROOT (pid and whether the start
 * is counted). */
static void describe(const struct options *options) {
  static struct job job;
  static char json_buffer[6 * 4 * JOB_TEXT_BYTES], parent[PATH_BYTES], fallback[JOB_ID_BYTES];
  job_fallback_id(fallback, sizeof fallback);
  job_parent_command(parent, sizeof parent);
  struct job_facts facts = {.environment = environ, .parent = parent, .fallback = fallback};
  const char *source = options->jobid != NULL ? "-j" : job_id_source(&facts);

  if (options->jobid != NULL) snprintf(job.jobid, sizeof job.jobid, "%s", options->jobid);
  join_words(job.command, sizeof job.command, options->command);
  if (getcwd(job.run_dir, sizeof job.run_dir) == NULL) job.run_dir[0] = '\0';
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  job.start_time = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  job_describe(&job, &facts);

  struct text json = text_over(json_buffer, sizeof json_buffer);
  char launch[LAUNCH_BYTES];
  launch_id(launch, sizeof launch);
  job_to_json(&job, launch, job_rank(&facts), &json);
  char root[32];
  snprintf(root, sizeof root, "%ld 0", (long)getpid());
  setenv("VIGIE_ROOT", root, 1);
  setenv("VIGIE_JOB", json.data, 1);
  setenv("PROXY_JOB_ID", job.jobid, 1);
  if (options->verbose) fprintf(stderr, "vigie-run: job %s (from %s)\n", job.jobid, source);
}

/* What was asked for and cannot be had is said before anything starts. */
static int check_exporters(const struct options *options, const char *folder) {
  for (int i = 0; i < options->exporter_count; i++) {
    const char *name = options->exporters[i];
    switch (exporter_state(folder, name)) {
      case EXPORTER_ALWAYS:
      case EXPORTER_READY: continue;
      case EXPORTER_MISSING:
        /* Where the library cannot be built, the tracer does its work. */
        if (strcmp(name, "strace") == 0 && exporter_state(folder, "ptrace") == EXPORTER_READY) continue;
        fprintf(stderr, "vigie-run: this build has no exporter '%s'\n", name); break;
      case EXPORTER_LATER: fprintf(stderr, "vigie-run: the exporter '%s' comes with a later version\n", name); break;
      case EXPORTER_UNKNOWN:
        fprintf(stderr, "vigie-run: there is no exporter '%s'; 'vigie-run -l' lists them\n", name);
        break;
    }
    return -1;
  }
  return 0;
}

int main(int argc, char **argv) {
  static struct options options;
  if (options_parse(&options, argc, argv) != 0) return 2;
  if (options.help) return fputs(usage, stdout) < 0;
  if (options.version) return puts("vigie-run " VIGIE_VERSION) < 0;
  char folder[PATH_BYTES + 64];
  library_folder(folder, sizeof folder);
  if (options.list) {
    exporters_list(folder);
    return 0;
  }
  if (check_exporters(&options, folder) != 0) return NOT_STARTED;
  if (options.command[0] == NULL && options.attach == NULL) {
    fputs("vigie-run: no command to run\n", stderr);
    fputs(usage, stderr);
    return 2;
  }

  if (options.socket != NULL) set_socket(options.socket);
  static char **plain;
  plain = copy_environment();
  describe(&options);
  if (options.attach != NULL) return tracing_attach(folder, options.attach, options.verbose);
  struct image image = image_of(options.command[0]);
  /* Its loader takes no libraries of ours, and under a tracer it would lose its rights. */
  if (image.set_id) fputs("vigie-run: the program has set-id rights: it runs unmonitored\n", stderr);
  enum tracing tracing = tracing_choose(&options, &image, folder);
  /* Before our libraries are in the environment: the tracer is not to load them. */
  if (tracing == TRACING_PTRACE) tracing_start(folder, image.is_static || !image.native, options.verbose);
  /* The loader complains on stderr about libraries of another architecture. */
  if (folder[0] != '\0' && image.native && !image.set_id) preload(&options, folder, tracing);
  if (options.verbose) {
    char buffer[128];
    const char *libraries = getenv("LD_PRELOAD");
    const char *path = engine_socket(buffer, sizeof buffer);
    /* A connection that says nothing: the engine counts no client. */
    int fd = engine_connect(path, path == buffer);
    const char *found = fd >= 0 ? "" : ": no engine of yours listens there; the program runs uncounted";
    fprintf(stderr, "vigie-run: socket %s%s\n", path, found);
    if (fd >= 0) close(fd);
    fprintf(stderr, "vigie-run: LD_PRELOAD=%s\n", libraries == NULL ? "" : libraries);
  }
  execvp(options.command[0], options.command);
  /* With nothing of ours it may just fit: the program runs as if we were not there. */
  if (errno == E2BIG && plain != NULL) {
    environ = plain;
    execvp(options.command[0], options.command);
  }
  int error = errno;
  fprintf(stderr, "vigie-run: %s: %s\n", options.command[0], strerror(error));
  return error == ENOENT || error == ENOTDIR ? NOT_STARTED : NOT_EXECUTABLE;
}

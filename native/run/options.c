#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char usage[] =
    "Usage: vigie-run [OPTIONS] [--] COMMAND [ARGUMENT...]\n"
    "       vigie-run [OPTIONS] -S PID\n"
    "\n"
    "Runs COMMAND as a job that Vigie shows. Without an engine it just runs.\n"
    "\n"
    "Options:\n"
    "  -l, --listexporters      List the exporters\n"
    "  -e, --exporter NAME,...  Exporters to activate; may be repeated\n"
    "  -j, --jobid JOBID        Job id; otherwise the scheduler's or launcher's\n"
    "  -u, --unixsocket PATH    Socket of the engine\n"
    "  -m                       As --exporter mpi\n"
    "  -s                       As --exporter strace\n"
    "  -S PID                   Count the system calls of a running process; Ctrl-C lets it go on alone\n"
    "  -v                       Say what is done, on stderr\n"
    "  -h, --help               Print this help\n"
    "  -V, --version            Print the version\n";

static int add_exporters(struct options *options, const char *list) {
  while (*list != '\0') {
    size_t length = strcspn(list, ",");
    if (length >= EXPORTER_NAME_BYTES || options->exporter_count == MAX_EXPORTERS) {
      fprintf(stderr, "vigie-run: too many exporters, or too long a name: %s\n", list);
      return -1;
    }
    if (length > 0) {
      char *name = options->exporters[options->exporter_count++];
      memcpy(name, list, length);
      name[length] = '\0';
    }
    list += length + (list[length] == ',');
  }
  return 0;
}

/* A whole number, and nothing behind it: 42x is not process 42. */
static bool is_process(const char *text) {
  char *end;
  long pid = strtol(text, &end, 10);
  return text[0] >= '0' && text[0] <= '9' && *end == 0 && pid > 0 && pid <= 0x7fffffff;
}

int options_parse(struct options *options, int argc, char **argv) {
  static const struct option names[] = {
      {"listexporters", no_argument, NULL, 'l'},  {"exporter", required_argument, NULL, 'e'},
      {"jobid", required_argument, NULL, 'j'},    {"unixsocket", required_argument, NULL, 'u'},
      {"help", no_argument, NULL, 'h'},           {"version", no_argument, NULL, 'V'},
      {NULL, 0, NULL, 0},
  };
  memset(options, 0, sizeof *options);
  int option;
  /* Its messages begin with the program's name as it was called: a path into a build folder says nothing. */
  static char called[] = "vigie-run";
  if (argc > 0) argv[0] = called;
  /* '+': what follows the command's name is the command's. */
  while ((option = getopt_long(argc, argv, "+le:j:u:msS:vhV", names, NULL)) != -1) {
    switch (option) {
      case 'l': options->list = true; break;
      case 'e':
        if (add_exporters(options, optarg) != 0) return -1;
        break;
      case 'j': options->jobid = optarg; break;
      case 'u': options->socket = optarg; break;
      case 'm':
        if (add_exporters(options, "mpi") != 0) return -1;
        break;
      case 's':
        if (add_exporters(options, "strace") != 0) return -1;
        break;
      case 'S':
        if (!is_process(optarg)) return fprintf(stderr, "vigie-run: -S: '%s' is no process\n", optarg), -1;
        options->attach = optarg;
        break;
      case 'v': options->verbose = true; break;
      case 'h': options->help = true; break;
      case 'V': options->version = true; break;
      default: fputs("Try 'vigie-run --help'.\n", stderr); return -1;
    }
  }
  options->command = argv + optind;
  return 0;
}

/*
 * Writes C from functions.txt, at build time:
 *
 *     generate stubs FUNCTIONS                 what stands between programs and MPI: the same for all MPI libraries
 *     generate wrappers FUNCTIONS PREPROCESSED what counts, with the prototypes of an mpi.h (output of mpicc -E)
 *     generate list FUNCTIONS PREPROCESSED     prototypes, flags and rules of these, one per line, for people and tests
 *
 * The header's declarations are taken as they are, but for the names of their parameters.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FUNCTIONS = 1024, MAX_ARGUMENTS = 24, MAX_POSITIONS = 8, NAME = 64, TEXT = 160 };

static struct function {
  char name[NAME], flags[8], rule[NAME];
  int arguments, strings, positions[MAX_POSITIONS], position_count;
  /* From the header: */
  bool declared;
  char returns[TEXT], parameters[MAX_ARGUMENTS][TEXT];
  int parameter_count;
} functions[MAX_FUNCTIONS];
static int count;

static void fail(const char *message, const char *detail) {
  fprintf(stderr, "generate: %s: %s\n", message, detail);
  exit(1);
}

static bool has(const struct function *function, char flag) { return strchr(function->flags, flag) != NULL; }

static void read_functions(const char *path) {
  FILE *file = fopen(path, "r");
  char line[512];
  if (!file) fail("cannot open", path);
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#' || line[0] == '\n') continue;
    if (count == MAX_FUNCTIONS) fail("too many functions", path);
    struct function *function = &functions[count++];
    int end = 0;
    if (sscanf(line, "%63s %d %d %7s%n", function->name, &function->arguments, &function->strings, function->flags, &end) != 4 ||
        function->arguments > MAX_ARGUMENTS - 4)
      fail("not a function", line);
    char *rest = strtok(line + end, " \n");
    if (!rest) continue;
    snprintf(function->rule, sizeof function->rule, "%s", rest);
    while ((rest = strtok(NULL, " \n")) && function->position_count < MAX_POSITIONS)
      function->positions[function->position_count++] = atoi(rest);
  }
  fclose(file);
}

/* The text without line markers and attributes. */
static char *read_header(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail("cannot open", path);
  size_t length = 0, size = 0;
  char *text = NULL, *line = NULL;
  size_t line_size = 0;
  ssize_t got;
  while ((got = getline(&line, &line_size, file)) > 0) {
    if (line[0] == '#') continue;
    if (length + (size_t)got + 1 > size && !(text = realloc(text, size = (length + (size_t)got + 1) * 2))) fail("no memory", path);
    memcpy(text + length, line, (size_t)got);
    length += (size_t)got;
  }
  free(line);
  fclose(file);
  if (!text) fail("empty", path);
  text[length] = 0;
  for (char *at = text; (at = strstr(at, "__attribute__"));) {
    int depth = 0;
    for (; *at; at++) {
      if (*at == '(') depth++;
      bool last = *at == ')' && --depth == 0;
      *at = ' ';
      if (last) break;
    }
  }
  return text;
}

static bool word(char character) { return isalnum((unsigned char)character) || character == '_'; }

/* Copies with single blanks, none at the ends. */
static void squeeze(char *to, const char *from, size_t length) {
  size_t at = 0;
  for (size_t i = 0; i < length && at < TEXT - 1; i++) {
    bool blank = isspace((unsigned char)from[i]);
    if (blank && (at == 0 || to[at - 1] == ' ')) continue;
    to[at++] = blank ? ' ' : from[i];
  }
  while (at > 0 && to[at - 1] == ' ') at--;
  to[at] = 0;
}

/* Replaces the parameter's name, or puts it where none is: `const int list[]` becomes `const int a3[]`. */
static void rename_parameter(char *parameter, int number) {
  char name[16], result[2 * TEXT];
  snprintf(name, sizeof name, "a%d", number);
  size_t end = strcspn(parameter, "[");
  while (end > 0 && parameter[end - 1] == ' ') end--;
  size_t start = end;
  while (start > 0 && word(parameter[start - 1])) start--;
  int words = 0;
  for (size_t i = 0; i < end; i++)
    if (word(parameter[i]) && (i == 0 || !word(parameter[i - 1])) && strncmp(parameter + i, "const ", 6) != 0 &&
        strncmp(parameter + i, "struct ", 7) != 0 && strncmp(parameter + i, "unsigned ", 9) != 0)
      words++;
  if (words < 2) start = end;
  snprintf(result, sizeof result, "%.*s%s%s%s", (int)start, parameter, start > 0 && word(parameter[start - 1]) ? " " : "", name,
           parameter + end);
  if (strlen(result) >= TEXT) fail("too long", parameter);
  memcpy(parameter, result, strlen(result) + 1);
}

static void find(struct function *function, const char *text) {
  size_t length = strlen(function->name);
  for (const char *at = text; (at = strstr(at, function->name)); at += length) {
    if (at == text || word(at[-1]) || word(at[length])) continue;
    const char *open = at + length + strspn(at + length, " \n\t");
    if (*open != '(') continue;
    const char *start = at;
    while (start > text && start[-1] != ';' && start[-1] != '}' && start[-1] != '{') start--;
    start += strspn(start, " \n\t");
    if (strncmp(start, "typedef", 7) == 0) continue;
    if (strncmp(start, "extern ", 7) == 0) start += 7;
    squeeze(function->returns, start, (size_t)(at - start));
    const char *from = open + 1;
    int depth = 1;
    for (const char *end = from; *end && depth > 0; end++) {
      if (*end == '(') depth++;
      if (*end == ')') depth--;
      if (depth > 0 && !(depth == 1 && *end == ',')) continue;
      char parameter[TEXT];
      squeeze(parameter, from, (size_t)(end - from));
      from = end + 1;
      if (strcmp(parameter, "void") == 0 || parameter[0] == 0) break;
      if (function->parameter_count == MAX_ARGUMENTS) fail("too many parameters", function->name);
      if (strcmp(parameter, "...") != 0) rename_parameter(parameter, function->parameter_count + 1);
      strcpy(function->parameters[function->parameter_count++], parameter);
    }
    function->declared = true;
    if (strcmp(function->name, "MPI_Pcontrol") != 0 && function->parameter_count != function->arguments)
      fail("has another number of arguments in this mpi.h", function->name);
    return;
  }
}

static void parameters(const struct function *function) {
  if (function->parameter_count == 0) printf("void");
  for (int i = 0; i < function->parameter_count; i++) printf("%s%s", i ? ", " : "", function->parameters[i]);
}

static void list(void) {
  for (struct function *function = functions; function < functions + count; function++) {
    if (!function->declared) continue;
    printf("%s %s(", function->returns, function->name);
    parameters(function);
    printf(") %s", function->flags);
    if (function->rule[0]) printf(" %s", function->rule);
    for (int i = 0; i < function->position_count; i++) printf(" a%d", function->positions[i]);
    printf("\n");
  }
}

static void rule(const char *macro, const struct function *function, int id) {
  printf("  %s_%s(%d", macro, function->rule, id);
  for (int i = 0; i < function->position_count; i++) printf(", a%d", function->positions[i]);
  printf(");\n");
}

/* Rules whose bytes stand in the status, their last argument. */
static bool from_status(const struct function *function) {
  static const char *const rules[] = {"recv", "sendrecv", "fread", "fwrite"};
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
    if (strcmp(function->rule, rules[i]) == 0) return true;
  return false;
}

/* Rules that are not bytes but something to do, before or after the call. */
static const char *moment(const struct function *function) {
  static const char *const before[] = {"abort", "freed"}, *const after[] = {"init", "start", "startall", "pcontrol"};
  for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
    if (strcmp(function->rule, before[i]) == 0) return "BEFORE";
  for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
    if (strcmp(function->rule, after[i]) == 0) return "AFTER";
  return "MEASURE";
}

static void wrapper(const struct function *function, int id) {
  const char *when = moment(function);
  printf("static %s wrap_%s(", function->returns, function->name);
  parameters(function);
  printf(") {\n");
  if (from_status(function)) {
    int status = function->positions[function->position_count - 1];
    printf("  MPI_Status own_status;\n  if (a%d == MPI_STATUS_IGNORE) a%d = &own_status;\n", status, status);
  }
  if (when[0] == 'B') rule(when, function, id);
  if (has(function, 's')) printf("  int state = hide_inner();\n");
  printf("  uint64_t start = begin();\n");
  printf("  %s result = ((%s (*)(", function->returns, function->returns);
  parameters(function);
  printf("))take_next(%d))(", id);
  for (int i = 0; i < function->parameter_count; i++)
    if (strcmp(function->parameters[i], "...") != 0) printf("%sa%d", i ? ", " : "", i + 1);
  printf(");\n  end(%d, start, %s);\n", id, has(function, 'w') ? "true" : "false");
  if (has(function, 's')) printf("  show_inner(state);\n");
  if (function->rule[0] && when[0] != 'B') {
    bool measure = when[0] == 'M';
    printf("  if (result == MPI_SUCCESS) {\n%s  ", measure ? "    struct bytes bytes = {0, 0};\n" : "");
    rule(when, function, id);
    if (measure && has(function, 'p')) printf("    remember(*a%d, bytes);\n", function->parameter_count);
    else if (measure) printf("    add_bytes(%d, bytes);\n", id);
    printf("  }\n");
  }
  printf("  return result;\n}\n\n");
}

static void wrappers(void) {
  printf("/* Made by generate.c from functions.txt and mpi.h. */\n\n");
  int declared = 0;
  for (int i = 0; i < count; i++)
    if (functions[i].declared) {
      wrapper(&functions[i], i);
      declared++;
    }
  if (declared == 0) fail("no function of MPI", "mpi.h");
  printf("enum { FUNCTIONS = %d };\nstatic const char *const names[FUNCTIONS] = {\n", count);
  for (int i = 0; i < count; i++) printf("  \"%s\",\n", functions[i].name);
  printf("};\nstatic void *const wrappers[FUNCTIONS] = {\n");
  for (int i = 0; i < count; i++)
    if (functions[i].declared) printf("  [%d] = (void *)wrap_%s,\n", i, functions[i].name);
  printf("};\n");
}

static void longs(int arguments, bool typed) {
  if (typed && arguments == 0) printf("void");
  for (int i = 0; i < arguments; i++) printf("%s%sa%d", i ? ", " : "", typed ? "long " : "", i + 1);
}

static void stub(const char *symbol, const char *returns, int arguments, const char *target, int id) {
  printf("EXPORT %s %s(", returns, symbol);
  longs(arguments, true);
  printf(") { return ((%s (*)(", returns);
  longs(arguments, true);
  printf("))%s(%d))(", target, id);
  longs(arguments, false);
  printf("); }\n");
}

/* One entry per name that a Fortran compiler gives; `large` are those of MPI_Count arguments, which the _c function serves. */
static void fortran(const char *lower, const char *suffix, const struct function *function, int id) {
  bool real = has(function, 'd');
  const char *returns = real ? "double" : "long";
  int arguments = real ? 0 : function->arguments + 1 + function->strings;
  printf("EXPORT %s %s%s(", returns, lower, suffix);
  longs(arguments, true);
  printf(") {\n  static void *entry;\n  struct fortran fortran = fortran_enter(%d, &entry, \"%s%s\");\n", id, lower, suffix);
  printf("  if (!entry) return 0;\n  %s result = ((%s (*)(", returns, returns);
  longs(arguments, true);
  printf("))entry)(");
  longs(arguments, false);
  printf(");\n  fortran_leave(%d, &fortran);\n  return result;\n}\n", id);
}

static void stubs(void) {
  printf("/* Made by generate.c from functions.txt. */\n\n");
  printf("enum { FUNCTIONS = %d };\nstatic const char *const names[FUNCTIONS] = {\n", count);
  for (int i = 0; i < count; i++) printf("  \"%s\",\n", functions[i].name);
  printf("};\n");
  for (int i = 0; i < count; i++) {
    struct function *function = &functions[i];
    const char *returns = has(function, 'd') ? "double" : "long";
    char symbol[NAME + 1], lower[NAME];
    stub(function->name, returns, function->arguments, "called", i);
    snprintf(symbol, sizeof symbol, "P%s", function->name);
    stub(symbol, returns, function->arguments, "called_inside", i);
    if (!has(function, 'f')) continue;
    snprintf(lower, sizeof lower, "%s", function->name);
    for (char *at = lower; *at; at++) *at = (char)tolower((unsigned char)*at);
    size_t length = strlen(lower);
    if (length > 2 && strcmp(lower + length - 2, "_c") == 0) {
      lower[length - 2] = 0;
      fortran(lower, "_f08_large_", function, i);
      fortran(lower, "_f08ts_large_", function, i);
      continue;
    }
    static const char *const suffixes[] = {"_", "__", "_f08_", "_f08ts_"};
    for (size_t suffix = 0; suffix < sizeof suffixes / sizeof suffixes[0]; suffix++) fortran(lower, suffixes[suffix], function, i);
  }
  printf("static void *const entries[FUNCTIONS] = {\n");
  for (int i = 0; i < count; i++) printf("  (void *)%s,\n", functions[i].name);
  printf("};\n");
}

int main(int argc, char **argv) {
  if (argc < 3) fail("usage", "generate stubs|wrappers|list FUNCTIONS [PREPROCESSED]");
  read_functions(argv[2]);
  if (argc > 3) {
    char *text = read_header(argv[3]);
    for (int i = 0; i < count; i++) find(&functions[i], text);
    free(text);
  }
  if (strcmp(argv[1], "stubs") == 0) stubs();
  else if (strcmp(argv[1], "wrappers") == 0) wrappers();
  else if (strcmp(argv[1], "list") == 0) list();
  else fail("not known", argv[1]);
  return fflush(stdout) != 0 || ferror(stdout);
}

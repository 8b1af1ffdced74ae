/* Text in a buffer of fixed size, and JSON strings in it. Nothing here allocates. */
#ifndef VIGIE_RUN_TEXT_H
#define VIGIE_RUN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* `data` is always terminated. `full` tells that something did not fit and was cut. */
struct text {
  char *data;
  size_t length;
  size_t capacity; /* bytes, the terminator included; at least 1 */
  bool full;
};

struct text text_over(char *buffer, size_t capacity);
void text_add(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_add_number(struct text *text, long long number);

/* Adds `string` as a JSON string with its quotes, at most `limit` bytes of it. Bytes that are not UTF-8 become '?': the
 * engine would refuse the whole message otherwise. */
void text_add_json(struct text *text, const char *string, size_t limit);

#endif

#include "text.h"

#include <stdio.h>
#include <string.h>

struct text text_over(char *buffer, size_t capacity) {
  buffer[0] = '\0';
  return (struct text){.data = buffer, .length = 0, .capacity = capacity, .full = false};
}

void text_add_char(struct text *text, char c) {
  if (text->length + 1 >= text->capacity) {
    text->full = true;
    return;
  }
  text->data[text->length++] = c;
  text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *string) {
  for (; *string != '\0'; string++) text_add_char(text, *string);
}

void text_add_number(struct text *text, long long number) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", number);
  text_add(text, digits);
}

/* Length of the well-formed UTF-8 sequence at `s`, 0 when there is none (overlong, surrogate, cut, above U+10FFFF). */
static size_t sequence(const unsigned char *s) {
  if (s[0] < 0x80) return 1;
  size_t length = s[0] >= 0xC2 && s[0] <= 0xDF ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : 0;
  if (length == 0) return 0;
  for (size_t i = 1; i < length; i++)
    if ((s[i] & 0xC0) != 0x80) return 0; /* the terminator ends the loop, too */
  if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F)) return 0;
  if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)) return 0;
  return length;
}

void text_add_json(struct text *text, const char *string, size_t limit) {
  const unsigned char *s = (const unsigned char *)string;
  const unsigned char *end = s + strnlen(string, limit);
  text_add_char(text, '"');
  while (s < end) {
    size_t length = sequence(s);
    if (length == 0 || s + length > end) {
      text_add_char(text, '?');
      s++;
      continue;
    }
    if (*s == '"' || *s == '\\') {
      text_add_char(text, '\\');
      text_add_char(text, (char)*s);
    } else if (*s < 0x20) {
      char escape[8];
      snprintf(escape, sizeof escape, "\\u%04x", *s);
      text_add(text, escape);
    } else {
      for (size_t i = 0; i < length; i++) text_add_char(text, (char)s[i]);
    }
    s += length;
  }
  text_add_char(text, '"');
}

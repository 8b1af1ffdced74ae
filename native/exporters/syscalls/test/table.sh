#!/bin/sh
# Whether a table of system calls agrees with the kernel's headers here: same names for same numbers, as far as both go.
#
#     sh table.sh FOLDER ARCHITECTURE CC
set -eu
folder=$1 architecture=$2 cc=$3
generated=$(mktemp)
trap 'rm -f "$generated"' EXIT
# Without headers of this architecture there is nothing to compare with.
sh "$folder/generate.sh" "$architecture" "$cc" >"$generated" 2>/dev/null || exit 77
[ "$(wc -l <"$generated")" -gt 250 ] || exit 77
awk '
  NR == FNR { table[$1] = $2; if ($1 + 0 > last) last = $1 + 0; count++; next }
  { headers[$1] = $2; if ($1 + 0 > newest) newest = $1 + 0 }
  END {
    if (count < 250) { print "the table is too short: " count; failed = 1 }
    for (number in headers)
      if (number + 0 <= last && table[number] != headers[number]) { print number " " table[number] " here, " headers[number] " in the headers"; failed = 1 }
    for (number in table)
      if (number + 0 <= newest && !(number in headers)) { print number " " table[number] ": not in the headers"; failed = 1 }
    exit failed
  }' "$folder/tables/$architecture.txt" "$generated"

#!/bin/sh
# Prints a checksum over name, size and modification time of everything the build reads, or nothing where `find` cannot
# tell (not GNU): the caller then asks scripts/build.mjs, which compares contents. It runs at every start of `vigie`,
# so it costs a few milliseconds and no Node.
cd "$(dirname "$0")/.." || exit 1
set -- src package-lock.json scripts/build.mjs
for file in vite.config.ts electron.vite.config.ts resources/* tsconfig*.json; do
  [ -e "$file" ] && set -- "$@" "$file"
done
sum=$(find "$@" -type f -printf '%p %s %T@\n' 2>/dev/null | LC_ALL=C sort | cksum)
case $sum in
  *' 0') ;;
  *) printf '%s\n' "$sum" ;;
esac

#!/bin/sh
# Prints the table of system calls of one architecture, as the kernel's headers here have it: "NUMBER NAME" by number.
#
#     sh generate.sh x86_64|i386|aarch64 [CC]
set -eu
cc=${2:-cc}
case $1 in
  x86_64) header='asm/unistd_64.h' flags= ;;
  i386) header='asm/unistd_32.h' flags= ;;
  # The generic table, with what arm64's own header asks of it.
  aarch64) header='asm-generic/unistd.h'
    flags='-D__BITS_PER_LONG=64 -D__ARCH_WANT_RENAMEAT -D__ARCH_WANT_NEW_STAT -D__ARCH_WANT_SET_GET_RLIMIT
      -D__ARCH_WANT_TIME32_SYSCALLS -D__ARCH_WANT_SYS_CLONE3 -D__ARCH_WANT_MEMFD_SECRET' ;;
  *) echo "generate.sh: no architecture '$1'" >&2; exit 2 ;;
esac
# shellcheck disable=SC2086
echo "#include <$header>" | $cc -E -dM $flags - | awk '
  $1 == "#define" && $2 ~ /^__NR(3264)?_/ { value[$2] = $3 }
  END {
    for (macro in value) {
      # Some are aliases: __NR_lseek is __NR3264_lseek.
      number = value[macro]
      while (number in value) number = value[number]
      if (macro !~ /^__NR_/ || number !~ /^[0-9]+$/ || macro ~ /^__NR_(syscalls|arch_specific_syscall)$/) continue
      print number, substr(macro, 6)
    }
  }' | sort -n -k1,1 -k2,2

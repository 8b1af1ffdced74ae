#!/bin/sh
# The command line of vigie-run: options, exit codes, signals, environment. There is no engine.
set -u
run=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/vigie run.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
export VIGIE_SOCKET="$folder/none.socket"
unset LD_PRELOAD LD_LIBRARY_PATH PROXY_JOB_ID PROXY_PATH VIGIE_ROOT VIGIE_JOB
failed=0
# vigie-run under itself, when it is built with a sanitizer that wants to be the first library.
export ASAN_OPTIONS=verify_asan_link_order=0

# check NAME EXPECTED ACTUAL
check() {
  [ "$2" = "$3" ] && return
  echo "$1: got '$3', not '$2'" >&2
  failed=1
}
# status EXPECTED COMMAND...: exit code; its output goes to $folder/out and $folder/err
status() {
  expected=$1
  shift
  "$@" >"$folder/out" 2>"$folder/err"
  check "$*" "$expected" "$?"
}

for code in 0 1 3 127 255; do status $code "$run" -- sh -c "exit $code"; done
check 'nothing on stderr' '' "$(cat "$folder/err")"
status 127 "$run" -- no-such-program-anywhere
status 127 "$run" "$folder/none"
: >"$folder/plain"
status 126 "$run" "$folder/plain"
status 126 "$run" "$folder"
printf 'echo "script $1"\n' >"$folder/no interpreter"
chmod +x "$folder/no interpreter"
status 0 "$run" "$folder/no interpreter" 'a b'
check 'script without an interpreter' 'script a b' "$(cat "$folder/out")"

# An unknown exporter, or one that is not there, stops before the program.
for exporter in nonsense io,nonsense mpi-not-there; do
  status 127 "$run" -e "$exporter" -- touch "$folder/started"
  check "message for $exporter" 1 "$(grep -c 'exporter' "$folder/err")"
done
status 127 "$run" -S 4194305
status 127 "$run" --exporter=run --exporter=nonsense -- touch "$folder/started"
[ -e "$folder/started" ] && { echo 'the program was started' >&2; failed=1; }
status 0 "$run" -e run,run --exporter run true
for name in proxy_run tau_metric_proxy_run; do
  status 0 "$(dirname "$run")/$name" --listexporters
  check "$name lists" 1 "$(grep -c '^mpi ' "$folder/out")"
done
status 0 "$run" -h
check 'help' 1 "$(grep -c -- --unixsocket "$folder/out")"
status 0 "$run" --version
check 'version' 1 "$(grep -c '^vigie-run [0-9]' "$folder/out")"
status 2 "$run"
status 2 "$run" --nonsense true
status 2 "$run" -j

# Options behind the program's name are the program's; words stay whole; stdin is the program's.
status 0 "$run" echo -v -j 'a  b'
check 'options of the program' '-v -j a  b' "$(cat "$folder/out")"
check 'stdin' 'in' "$(echo in | "$run" cat)"
check 'pid' 'same' "$(sh -c 'echo $$; exec "$0" sh -c "echo \$\$"' "$run" | uniq | wc -l | sed 's/^1$/same/')"
sh -c 'exec "$0" sh -c "kill -TERM \$\$"' "$run"
check 'signal' 143 "$?"

# Arguments that leave no room for what we add.
room() (
  ulimit -s 1024
  long=$(printf '%0120000d' 0)
  size=23000
  while [ "$size" -gt 18000 ]; do
    last=$(printf "%0${size}d" 0)
    # As many bytes as vigie-run has before the program.
    if env -i /bin/echo -- "$run" "$long" "$long" "$last" >/dev/null 2>&1; then
      env -i "$run" -- /bin/echo "$long" "$long" "$last" 2>&1 | wc -c | tr -d ' '
      return
    fi
    size=$((size - 50))
  done
  echo 'no size fits'
)
check 'room for long arguments' ok "$(room | sed 's/^2[56][0-9]*$/ok/')"

# What the program is given.
check 'job id' mine "$("$run" -j mine sh -c 'echo "$PROXY_JOB_ID"')"
check 'job' 1 "$("$run" -j mine sh -c 'echo "$VIGIE_JOB"' | grep -c '^{"jobid":"mine","command":"sh -c echo \\"$VIGIE_JOB\\"","size":1,.*"end_time":0,"launch":"[0-9a-f]\{16\}-[0-9]*-[0-9]*"}$')"
check 'rank' 3 "$(OMPI_COMM_WORLD_RANK=3 "$run" sh -c 'echo "$VIGIE_JOB"' | sed 's/.*,"rank":\(.*\)}$/\1/')"
check 'launch' same "$("$run" sh -c 'echo "$VIGIE_JOB" $$' | sed 's/.*"launch":"[0-9a-f]*-\([0-9]*\)-[0-9]*"} \1$/same/')"
check 'inherited job id' outer "$(PROXY_JOB_ID=outer "$run" sh -c 'echo "$PROXY_JOB_ID"')"
check 'same job in a loop' 1 "$(for i in 1 2 3; do "$run" sh -c 'echo "$PROXY_JOB_ID"'; done | sort -u | wc -l)"
check 'socket' "$folder/x y" "$(cd "$folder" && "$run" -u 'x y' sh -c 'cd / && echo "$VIGIE_SOCKET"')"
check 'socket of older clients' /x "$("$run" -u /x sh -c 'echo "$PROXY_PATH"')"
check 'verbose' 3 "$("$run" -v true 2>&1 | wc -l)"

# LD_PRELOAD is kept, our library is behind it, once.
preloaded=$(LD_PRELOAD=libc.so.6 "$run" -e run "$run" -e run sh -c 'echo "$LD_PRELOAD"')
check 'preload' "libc.so.6:$(dirname "$run")/libvigie-preload.so" "$preloaded"
# A folder with a blank in its name.
cp "$run" "$(dirname "$run")/libvigie-preload.so" "$folder"
status 0 "$folder/vigie-run" sh -c 'grep -c libvigie-preload /proc/$$/maps >/dev/null'
check 'nothing on stderr with a blank' '' "$(cat "$folder/err")"
# Without its library it still runs.
rm "$folder/libvigie-preload.so"
check 'without the library' 'x' "$("$folder/vigie-run" sh -c 'echo x$LD_PRELOAD' 2>&1)"
exit $failed

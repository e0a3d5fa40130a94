# shellcheck shell=bash
# Processes that outlive the script that starts them. Sourced by scripts/engines and scripts/cluster.

# launch FOLDER LOG COMMAND...: starts it in the background, in a session of its own, with FOLDER as its working
# directory, and leaves its id in $launched. It holds nothing of the caller's open, neither pipes nor locks, but what
# $keep_open names.
launch() {
  local folder=$1 log=$2
  shift 2
  (
    cd "$folder" || exit
    exec </dev/null >>"$log" 2>&1
    close_all_but 0 1 2 "${keep_open:-}"
    exec setsid "$@"
  ) &
  # shellcheck disable=SC2034 # for the caller
  launched=$!
}

# close_all_but FD...
close_all_but() {
  local fd keep
  for fd in /proc/"$BASHPID"/fd/*; do
    fd=${fd##*/}
    for keep in "$@"; do [[ $fd != "$keep" ]] || continue 2; done
    eval "exec $fd>&-" 2>/dev/null || true
  done
}

# end PID SIGNAL: asks a process to end, wakes it where it was stopped, and waits. After 30 s it is killed: returns 1.
end() {
  local pid=$1 signal=$2 deadline=$((SECONDS + 30))
  kill -s "$signal" "$pid" 2>/dev/null || return 0
  kill -s CONT "$pid" 2>/dev/null || true
  while lives "$pid"; do
    if ((SECONDS > deadline)); then
      kill -s KILL "$pid" 2>/dev/null || true
      until_gone "$pid"
      return 1
    fi
    sleep 0.05
  done
}

until_gone() {
  while lives "$1"; do sleep 0.05; done
}

# Neither gone nor a zombie that nobody has asked for yet. A process whose first thread ended before the others looks
# like a zombie, and holds its ports and locks.
lives() {
  local state
  local -a threads
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
  threads=("/proc/$1/task/"*)
  [[ -n $state ]] && [[ $state != [ZX] || ${#threads[@]} -gt 1 ]]
}

# lives_in PID FOLDER: whether the process works in FOLDER or below. Ids are used again: the folder says whose it is.
lives_in() {
  local where
  lives "$1" && ! is_dying "$1" || return 1
  where=$(readlink "/proc/$1/cwd" 2>/dev/null) || return 1
  [[ $where == "$2" || $where == "$2"/* ]]
}

# Was killed a moment ago, and has not got to it.
is_dying() {
  local pending
  # Of the thread, and of all of them.
  while read -r pending; do
    if ((16#$pending & 1 << 8)); then return 0; fi
  done < <(sed -n 's/^S[ih][gd]Pnd:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
  return 1
}

# A port nobody listens on. Below those the kernel gives to outgoing connections: one of these could take it meanwhile.
free_port() {
  local port
  for _ in {1..100}; do
    port=$((20000 + RANDOM % 10000))
    is_taken "$port" || { echo "$port"; return 0; }
  done
  return 1
}

is_taken() {
  (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

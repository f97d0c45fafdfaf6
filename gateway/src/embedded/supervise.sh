# Runs a server for as long as somebody holds the other end of our standard input. When that process ends, in whatever
# way, the pipe closes and the server is stopped: in good order first, by force if it takes longer than ten seconds.
# Arguments: the folder of its sockets, the signal that means "stop", the server and its arguments.
folder=$1 signal=$2
shift 2
# Whoever stops a whole group of processes means the server; we must outlive it to clean up.
trap '' HUP INT QUIT TERM
exec 3<&0 </dev/null

"$@" 3<&- &
server=$!
(
    while read -r _ <&3; do :; done
    kill -s "$signal" "$server"
    tries=0
    while [ "$tries" -lt 50 ]; do
        sleep 0.2
        tries=$((tries + 1))
    done
    kill -s QUIT "$server"
    sleep 2
    kill -s KILL "$server"
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-

wait "$server"
code=$?
kill -s KILL "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
# The last of the servers leaves the folder empty.
rmdir "$folder" 2>/dev/null
exit "$code"

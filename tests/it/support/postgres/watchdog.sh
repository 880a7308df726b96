# Stops and removes a throw-away cluster once nobody has used it for ten seconds.
#
# standard input  the lock file; every test process holds a shared lock on it for as long as it
#                 lives, and the kernel releases it however the process ends
# $1              the cluster's directory
# $2              pg_ctl
idle=0
while :; do
    sleep 1
    if flock --exclusive --nonblock 0; then
        idle=$((idle + 1))
        # Keep the lock when leaving the loop: later processes wait, find no cluster, and start a new one.
        [ "$idle" -ge 10 ] && break
        flock --unlock 0
    else
        idle=0
    fi
done
"$2" stop --pgdata="$1/data" --mode=immediate --wait
rm -rf -- "$1"
